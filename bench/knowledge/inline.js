import { SessionClient } from 'sessionwise';
import { startService } from 'sessionwise/service';
import { runAll } from '../support/window.js';

const SECRET = 'the secret of the benchmark';
const IN_FLIGHT = 64;

/** Opens a service in this process, for what the store itself costs: `ask` resolves with an answer, or rejects. */
export async function openInline(redis, namespace = 'bench') {
  const sessions = { sweep: false };
  const service = await startService({
    redis,
    namespace,
    secret: SECRET,
    transport: 'inline',
    acceptTimes: true,
    sessions,
  });
  const client = new SessionClient({ redis, namespace, deadlineMs: 10_000, transport: service.inline });
  let why;
  client.on('degraded', (degraded) => {
    why = degraded;
  });
  await client.ready();
  return {
    async ask(command, subject, payload) {
      const reply = await client.request(command, subject, payload);
      if (reply === undefined) throw new Error(`No answer to ${command}: ${JSON.stringify(why)}`);
      return reply;
    },
    async close() {
      await client.close();
      await service.stop();
    },
  };
}

/** The id of subject number `i` of a kind. */
export function subjectOf(kind, i) {
  return `${kind}${i.toString(36).padStart(25 - kind.length, '0')}`;
}

/** The path of page number `i`, as long as real ones. */
export function pathOf(i) {
  return `/articles/${2_000 + i}/a-page-of-the-benchmark`;
}

/** Lets each of `subjects` see its pages: those of one follow each other, the subjects go side by side. `views(i)`:
 *  [page, time] of each view, in milliseconds of the epoch. */
export function viewAll({ ask }, kind, subjects, views, from = 0) {
  const once = async (i) => {
    for (const [page, at] of views(from + i)) {
      await ask('pageview', subjectOf(kind, from + i), { path: pathOf(page), at: Math.floor(at) });
    }
  };
  return runAll({ count: subjects, inFlight: IN_FLIGHT, once });
}
