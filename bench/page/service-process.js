// What answers the pages of one side, in a process of its own. Arguments: the side, Redis's URL.
import { startService } from 'sessionwise/service';
import { serveParent } from '../support/child.js';
import { openDriver } from '../support/redis.js';
import { SECRET, SUGGESTIONS } from './namespace.js';

const SERVICES = {
  ours: (url) => startOurs(url, 'ours', 'channels'),
  streams: (url) => startOurs(url, 'streams', 'streams'),
  floor: startFloor,
};

async function startOurs(redis, namespace, transport) {
  // One process of a namespace sweeps, whatever is asked: that is charged to no page (see docs/performance.md).
  const sessions = { sweep: false };
  const service = await startService({
    redis,
    namespace,
    transport,
    secret: SECRET,
    suggestions: SUGGESTIONS,
    sessions,
  });
  return () => service.stop();
}

// As long as the answers to the page's four questions together.
const ANSWER = 'an answer '.repeat(60);

async function startFloor(url) {
  const [driver, subscriber] = await Promise.all([openDriver(url), openDriver(url)]);
  await subscriber.subscribe('floor:requests', (message) => {
    const number = message.slice(0, message.indexOf(' '));
    driver.sendCommand(['PUBLISH', 'floor:replies', `${number} ${ANSWER}`]);
  });
  return async () => {
    driver.destroy();
    subscriber.destroy();
  };
}

const [side, url] = process.argv.slice(2);
serveParent({}, await SERVICES[side](url));
