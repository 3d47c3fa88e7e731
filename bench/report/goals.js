/* goals.js: what the figures must come to. `before`: what they were in the first format (version 0.5.0). */

const WAYS = ['inbox', 'list', 'streams', 'inline'];
const LEVELS = [1, 32, 128, 512];
const OF_BARE = 0.8;
const page =
  (figure, side = 'ours') =>
  (figures) =>
    figures.ratio('page/whole/16', side, figure);
const pageUs = (figure) => (figures) => figures.median('page/whole/16', 'ours', figure);
const viewUs = (way, inFlight) => (figures) => figures.median(`wire/view/${way}/${inFlight}`, 'ours', 'redisUs');
const people = (row, figure) => (figures) => figures.ratio(`people/${row}`, 'many', figure);

export const GOALS = [
  {
    figure: "pages a second of the whole page against connect-redis' page without any of it, 16 connections",
    before: '0.50',
    atLeast: 0.8,
    of: page('perSecond'),
  },
  { figure: "the same for the floor: connect-redis' page and one bare message", of: page('perSecond', 'floor') },
  { figure: "CPU of the page's process, the same", before: '1.43', atMost: 1.1, of: page('siteUs') },
  { figure: 'CPU of the service for a whole page, µs', before: '97', atMost: 30, of: pageUs('serviceUs') },
  { figure: 'CPU of Redis for a whole page, µs', before: '41', atMost: 14, of: pageUs('redisUs') },
  { figure: 'inline: pages a second, the same', atLeast: 0.85, of: page('perSecond', 'inline') },
  {
    figure: "99th percentile of that page at 70 % of its own maximum, against the other's at its own",
    before: '1.1 to 1.6 at full load',
    atMost: 1.2,
    of: (figures) => figures.ratio('page/paced', 'ours', 'p99Ms'),
  },
  {
    figure: 'a page that waits for one answer against the same that does not wait, 16 connections',
    atLeast: 0.85,
    of: (figures) => figures.ratio('page/waits', 'waits', 'perSecond'),
  },
  {
    figure: 'bytes a subject: one view',
    before: '563',
    atMost: 240,
    of: (figures) => figures.median('memory/views', 'one', 'bytes'),
  },
  {
    figure: 'bytes a subject: 20 views of 12 pages in 10 minutes',
    before: '743',
    atMost: 320,
    of: (figures) => figures.median('memory/views', 'twenty', 'bytes'),
  },
  {
    figure: 'CPU of Redis for a view, channels, 64 in flight, µs',
    before: '12.8',
    atMost: 6.5,
    of: viewUs('inbox', 64),
  },
  { figure: 'the same, 16 in flight', atMost: 10, of: viewUs('inbox', 16) },
  { figure: 'the same, inline, 64 in flight', before: '9.7', atMost: 4.5, of: viewUs('inline', 64) },
  {
    figure: 'bytes of AOF a view, mean of those 20',
    before: '339',
    atMost: 140,
    of: (figures) => figures.median('memory/file', 'view', 'bytes'),
  },
  {
    figure: 'CPU of Redis for a view, streams against channels, 64 in flight',
    before: '2.4 to 3.3',
    atMost: 2,
    of: (figures) => figures.ratioOfRows('wire/view/streams/64', 'wire/view/inbox/64', 'ours', 'redisUs'),
  },
  {
    figure: `views over four ways, 1 to 512 in flight: rows of 16 that reach ${OF_BARE} of the bare loop`,
    before: '10 to 11',
    atLeast: 16,
    of: (figures) =>
      WAYS.flatMap((way) =>
        LEVELS.map((level) => figures.ratio(`wire/view/${way}/${level}`, 'ours', 'perSecond')),
      ).filter((ratio) => ratio >= OF_BARE).length,
  },
  { figure: 'a subject with 300 pages against one with 12: bytes', atMost: 8, of: people('bytes', 'bytes') },
  { figure: 'the same: CPU of Redis, `surface` of 100', atMost: 2, of: people('surface', 'redisUs') },
  { figure: 'the same: CPU of Redis, the figures', atMost: 2, of: people('question', 'redisUs') },
  { figure: 'the same: CPU of Redis, a view', atMost: 2, of: people('view', 'redisUs') },
];

/** Each goal with its figure: { figure, before, goal, value, isMet }; the last is undefined where nothing is asked for. */
export function judge(figures) {
  return GOALS.map(({ figure, before = '', atLeast, atMost, of }) => {
    const value = of(figures);
    const goal = atLeast !== undefined ? `at least ${atLeast}` : atMost !== undefined ? `at most ${atMost}` : '';
    const isMet = atLeast !== undefined ? value >= atLeast : atMost !== undefined ? value <= atMost : undefined;
    return { figure, before, goal, value, isMet };
  });
}
