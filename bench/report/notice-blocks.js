import { commandsText, table, written } from './markdown.js';

/* notice-blocks.js: tables about notices and live streams, for blocks.js. */

const NOT_YET = 'Not measured yet.';
const SIDES = { ours: 'channels', inline: 'inline' };
const AUDIENCES = { nobody: 'nobody has read anything', everybody: 'every member has read a notice' };
const MEMBERS = { looked: 'that has looked', one: 'that has read one notice', all: 'that has read all of them' };

const TABLES = {
  notices: (figures) =>
    table(
      [`${figures.row('notices/inbox').load}`, '', 'a second', 'median, ms', '99 %, ms', 'Redis, µs', 'service, µs'],
      ['inbox', 'unread', 'publish'].flatMap((name) => {
        const { title, medians } = figures.row(`notices/${name}`);
        return Object.entries(SIDES).map(([side, route]) => {
          const { perSecond, p50Ms, p99Ms, redisUs, serviceUs } = medians[side];
          return [title, route, ...[perSecond, p50Ms, p99Ms, redisUs, serviceUs].map(written)];
        });
      }),
    ),

  'notices-commands': (figures) =>
    table(
      ['inline', 'commands of Redis, those within scripts included'],
      ['inbox', 'unread', 'publish'].map((name) => {
        const { title, medians } = figures.row(`notices/${name}`);
        return [title, commandsText(medians.inline.commands)];
      }),
    ),

  'notices-page': (figures) => {
    const { id, medians } = figures.row('notices/page');
    const titles = { without: 'three questions in one message', with: 'and the count of unread notices' };
    return table(
      ['a page', 'a second', '', 'median, ms', 'Redis, µs', '', 'service, µs', ''],
      Object.entries(titles).map(([side, title]) => {
        const ratio = (figure) => `${figures.ratio(id, side, figure).toFixed(2)} ×`;
        const { perSecond, p50Ms, redisUs, serviceUs } = medians[side];
        return [
          title,
          written(perSecond),
          ratio('perSecond'),
          written(p50Ms),
          written(redisUs),
          ratio('redisUs'),
          written(serviceUs),
          ratio('serviceUs'),
        ];
      }),
    );
  },

  audience: (figures) =>
    table(
      ['a publish to a group', 'ms', 'Redis, µs', 'bytes to Redis', 'from Redis', 'commands'],
      Object.entries(AUDIENCES).map(([side, title]) => {
        const { ms, redisUs, redisBytesIn, redisBytesOut, commands } = figures.row('notices/audience').medians[side];
        return [title, ...[ms, redisUs, redisBytesIn, redisBytesOut].map(written), commandsText(commands)];
      }),
    ),

  members: (figures) =>
    table(
      ['a member', 'of so many', 'bytes', 'keys', 'seconds until all had'],
      Object.entries(MEMBERS).map(([side, title]) => {
        const { members, moreBytes, moreKeys, seconds } = figures.row('notices/members').medians[side];
        return [title, ...[members, moreBytes, moreKeys, seconds].map(written)];
      }),
    ),

  live: (figures) => {
    const { load, medians } = figures.row('live/streams');
    const { rssBytes, heapBytes, openMs, toldMs, told99Ms, toldLastMs } = medians.ours;
    return table(
      [load, ''],
      [
        ['a stream: bytes of the process (RSS)', written(rssBytes)],
        ['of which in the heap of JavaScript and beside it', written(heapBytes)],
        ['until all are open, ms', written(openMs)],
        ['from a publish until half of them have the notice, ms', written(toldMs)],
        ['99 %', written(told99Ms)],
        ['all', written(toldLastMs)],
      ],
    );
  },

  'live-pages': (figures) => {
    const { id, medians } = figures.row('live/pages');
    const titles = { alone: 'alone', beside: 'beside the open streams' };
    return table(
      [
        'pages',
        'a second',
        'median, ms',
        '99 %, ms',
        '',
        'its process, µs a page',
        '',
        'a notice: half have it, ms',
        '99 %, ms',
        'all, ms',
      ],
      Object.entries(titles).map(([side, title]) => {
        const { perSecond, p50Ms, p99Ms, siteUs, toldMs, told99Ms, toldLastMs } = medians[side];
        const ratio = (figure) => `${figures.ratio(id, side, figure).toFixed(2)} ×`;
        const times = [written(p99Ms), ratio('p99Ms'), written(siteUs), ratio('siteUs')];
        return [title, written(perSecond), written(p50Ms), ...times, ...[toldMs, told99Ms, toldLastMs].map(written)];
      }),
    );
  },
};

/** The tables. Results of before there were these parts have none of them. */
export const NOTICE_BLOCKS = Object.fromEntries(
  Object.entries(TABLES).map(([name, draw]) => [
    name,
    (figures) => (figures.rows.has('notices/inbox') && figures.rows.has('live/streams') ? draw(figures) : NOT_YET),
  ]),
);
