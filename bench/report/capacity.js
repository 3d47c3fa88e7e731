import { table, written } from './markdown.js';

/* capacity.js: how many servers and cores a number of page views a second needs, calculated from what one view costs. */

/** No core computes more than this share of the time. */
const MOST_BUSY = 0.6;
/** What AOF everysec adds to Redis's CPU, measured once: 1.15 to 1.25. */
const WITH_AOF = 1.25;
const PARTITIONS = 64;
/** Streams that take the requests of one server, and the most instances that share them evenly. */
const STREAMS = 16;
const VIEWS = [10_000, 100_000, 1_000_000];
const IN_FLIGHT = 128;
export const CAPACITY_WAYS = { inbox: 'channels, inbox', streams: 'streams', inline: 'inline' };

const costOf = (figures, way) => figures.row(`wire/view/${way}/${IN_FLIGHT}`).medians.ours;

/** Tables about capacity, for blocks.js. */
export const CAPACITY_BLOCKS = {
  'capacity-cost': (figures) =>
    table(
      [
        `a page view with its answer, ${IN_FLIGHT} in flight`,
        'Redis, µs',
        'service, µs',
        'serving process, µs',
        'bytes to and from Redis',
      ],
      Object.entries(CAPACITY_WAYS).map(([way, title]) => {
        const { redisUs, serviceUs, clientUs, redisBytesIn, redisBytesOut } = costOf(figures, way);
        return [title, ...[redisUs, serviceUs, clientUs, redisBytesIn + redisBytesOut].map(written)];
      }),
    ),

  capacity: (figures) =>
    table(
      ['page views a second', ...VIEWS.map(written)],
      [
        [
          'inline: masters; cores of the serving layer for us',
          (views) => inlineNeeds(costOf(figures, 'inline'), views),
        ],
        [
          'streams: masters; services; cores of the serving layer',
          (views) => streamsNeed(costOf(figures, 'streams'), views),
        ],
        [
          'channels: Redis servers, each with a namespace; services; cores of the serving layer',
          (views) => channelsNeed(costOf(figures, 'inbox'), views),
        ],
        ['network of all masters, Mbit/s: inline; streams; channels', (views) => network(figures, views)],
      ].map(([title, needs]) => [title, ...VIEWS.map(needs)]),
    ),

  'capacity-memory': (figures) => {
    const one = figures.median('memory/views', 'one', 'bytes');
    const twenty = figures.median('memory/views', 'twenty', 'bytes');
    const session = figures.median('memory/session', 'ours', 'bytes');
    const gigabytes = (bytes, count) => `${written((bytes * count) / 1e9)} GB`;
    return table(
      ['', 'bytes each', 'all together'],
      [
        [
          '100 million visitors who came back within 30 days, 20 views of 12 pages each',
          written(twenty),
          gigabytes(twenty, 1e8),
        ],
        ['the same, with session data', written(twenty + session), gigabytes(twenty + session, 1e8)],
        ['10,000 new visitors a second who look once, for 30 minutes', written(one), gigabytes(one, 10_000 * 1_800)],
      ],
    );
  },
};

/** Cores that a number of operations a second needs. */
export function cores(perSecond, us) {
  return Math.ceil((perSecond * us) / 1e6 / MOST_BUSY);
}

/** The fewest of at most `most` parts such that the fullest has enough with one core, where `units` are shared out among
 *  them; undefined where there are not enough. */
export function fewest(units, most, perSecond, us) {
  for (let parts = 1; parts <= most; parts += 1) {
    const share = Math.ceil(units / parts) / units;
    if ((share * perSecond * us) / 1e6 <= MOST_BUSY) return parts;
  }
  return undefined;
}

function mastersFor(views, redisUs) {
  const masters = fewest(PARTITIONS, PARTITIONS, views, redisUs * WITH_AOF);
  if (masters !== undefined) return String(masters);
  // Several namespaces on as many Clusters.
  const clusters = cores(views / PARTITIONS, redisUs * WITH_AOF);
  return `${clusters} × ${PARTITIONS}`;
}

function inlineNeeds({ redisUs, clientUs }, views) {
  return `${mastersFor(views, redisUs)}; ${cores(views, clientUs)}`;
}

function streamsNeed({ redisUs, serviceUs, clientUs }, views) {
  let namespaces = 1;
  while (fewest(STREAMS, STREAMS, views / namespaces, serviceUs) === undefined) namespaces += 1;
  const services = fewest(STREAMS, STREAMS, views / namespaces, serviceUs);
  const written = namespaces === 1 ? String(services) : `${namespaces} namespaces of ${services}`;
  return `${mastersFor(views, redisUs)}; ${written}; ${cores(views, clientUs)}`;
}

function channelsNeed({ redisUs, serviceUs, clientUs }, views) {
  const servers = cores(views, redisUs * WITH_AOF);
  const services = Math.max(servers, cores(views, serviceUs));
  return `${servers}; ${services}; ${cores(views, clientUs)}`;
}

function network(figures, views) {
  const megabits = (way) => {
    const { redisBytesIn, redisBytesOut } = costOf(figures, way);
    return written(Number((((redisBytesIn + redisBytesOut) * 8 * views) / 1e6).toPrecision(2)));
  };
  return ['inline', 'streams', 'inbox'].map(megabits).join('; ');
}
