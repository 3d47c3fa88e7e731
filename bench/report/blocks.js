import { SIDE_NAMES } from '../support/sides.js';
import { CAPACITY_BLOCKS } from './capacity.js';
import { DASHBOARD_BLOCKS } from './dashboard-blocks.js';
import { judge } from './goals.js';
import { commandsText, table, written } from './markdown.js';
import { NOTICE_BLOCKS } from './notice-blocks.js';
import { RULE_BLOCKS } from './rule-blocks.js';

/* blocks.js: what documents name in their marks. Each takes figures, and what stands behind its name. */

const WAYS = { inbox: 'channels', list: 'channels, BLPOP', streams: 'streams', inline: 'inline' };
const PAGE_LEVELS = [1, 16, 64];
const PEOPLE = { few: '12 pages', many: '300 pages', most: '3,000 pages' };
const CLOCK = { minute: '2-digit', hour: '2-digit', timeZone: 'UTC' };

const name = (side) => SIDE_NAMES[side] ?? side;
const times = (ratio) => `${ratio.toFixed(2)} ×`;
const sidesOf = ({ medians }) => Object.keys(medians);

export const BLOCKS = {
  ...CAPACITY_BLOCKS,
  ...NOTICE_BLOCKS,
  ...RULE_BLOCKS,
  ...DASHBOARD_BLOCKS,
  /** A single figure: its row, side and name. */
  median: (figures, id, side, figure) => written(figures.median(id, side, figure)),
  ratio: (figures, id, side, figure) => figures.ratio(id, side, figure).toFixed(2),
  rounds: ({ results }) => String(results.rounds),
  minutes: ({ results }) => written(results.minutes),

  machine({ results: { startedAt, machine, versions, rows } }) {
    const started = new Date(startedAt);
    const lines = [
      ['when', `${startedAt.slice(0, 10)}, ${started.toLocaleTimeString('en-GB', CLOCK)} UTC`],
      [
        'processor',
        `${machine.cores} cores of ${machine.model}, shared by all processes: pages, services, Redis, load`,
      ],
      ['memory', `${machine.memoryGiB} GiB`],
      ['system', machine.system],
      ['commit', machine.commit],
      ...addedRows(rows),
      ...Object.entries(versions),
    ];
    return table(['', ''], lines);
  },

  goals: (figures) =>
    table(
      ['figure', 'first format', 'goal', 'this run', ''],
      judge(figures).map(({ figure, before, goal, value, isMet }) => [
        figure,
        before,
        goal,
        written(value),
        isMet === undefined ? '' : isMet ? 'met' : '**missed**',
      ]),
    ),

  pages(figures) {
    const rows = PAGE_LEVELS.map((level) => figures.row(`page/whole/${level}`));
    return table(
      ['pages a second', ...PAGE_LEVELS.map((level) => `${level} connection${level > 1 ? 's' : ''}`)],
      sidesOf(rows[0]).map((side) => [
        name(side),
        ...rows.map(({ id }) => {
          const ratio = figures.ratio(id, side, 'perSecond').toFixed(2);
          return `${written(figures.median(id, side, 'perSecond'))} (${ratio})`;
        }),
      ]),
    );
  },

  'page-cost'(figures, level) {
    const row = figures.row(`page/whole/${level}`);
    return table(
      [
        'a page',
        'its process, µs',
        '',
        'service, µs',
        'Redis, µs',
        'load, µs',
        'bytes to Redis',
        'from Redis',
        'HTTP bytes',
        'messages',
      ],
      sidesOf(row).map((side) => {
        const { siteUs, serviceUs, redisUs, loadUs, redisBytesIn, redisBytesOut, httpBytes, commands } =
          row.medians[side];
        return [
          name(side),
          written(siteUs),
          times(figures.ratio(row.id, side, 'siteUs')),
          ...[serviceUs, redisUs, loadUs, redisBytesIn, redisBytesOut, httpBytes].map(written),
          written((commands.publish ?? 0) + (commands.xadd ?? 0)),
        ];
      }),
    );
  },

  'page-commands'(figures, level) {
    const row = figures.row(`page/whole/${level}`);
    return table(
      ['a page', 'commands of Redis, those within scripts included'],
      sidesOf(row).map((side) => [name(side), commandsText(row.medians[side].commands)]),
    );
  },

  'page-latency': (figures) =>
    table(
      ['milliseconds', ...PAGE_LEVELS.flatMap((level) => [`median, ${level}`, `99 %, ${level}`])],
      sidesOf(figures.row('page/whole/16')).map((side) => [
        name(side),
        ...PAGE_LEVELS.flatMap((level) => [
          written(figures.median(`page/whole/${level}`, side, 'p50Ms')),
          written(figures.median(`page/whole/${level}`, side, 'p99Ms')),
        ]),
      ]),
    ),

  paced(figures) {
    const row = figures.row('page/paced');
    return table(
      ['at 70 % of its own maximum', 'pages a second', 'median, ms', '99 %, ms', ''],
      sidesOf(row).map((side) => {
        const { perSecond, p50Ms, p99Ms } = row.medians[side];
        return [
          name(side),
          written(perSecond),
          written(p50Ms),
          written(p99Ms),
          times(figures.ratio(row.id, side, 'p99Ms')),
        ];
      }),
    );
  },

  waits(figures) {
    const { id, medians } = figures.row('page/waits');
    const titles = { publishes: 'publishes its view', waits: 'waits for the answer to its view' };
    return table(
      ['the page', 'pages a second', '', 'its process, µs', 'service, µs', 'Redis, µs'],
      Object.entries(medians).map(([side, { perSecond, siteUs, serviceUs, redisUs }]) => [
        titles[side],
        written(perSecond),
        times(figures.ratio(id, side, 'perSecond')),
        ...[siteUs, serviceUs, redisUs].map(written),
      ]),
    );
  },

  wire(figures, kind) {
    const ways = Object.keys(WAYS).filter((way) =>
      figures.results.rows.some(({ id }) => id.startsWith(`wire/${kind}/${way}/`)),
    );
    const levels = [...new Set(figures.rowsOf(`wire/${kind}/`).map(levelOf))].toSorted((a, b) => a - b);
    const cell = (way, level) => {
      const id = `wire/${kind}/${way}/${level}`;
      if (!figures.rows.has(id)) return '';
      return `${written(figures.median(id, 'ours', 'perSecond'))} (${figures.ratio(id, 'ours', 'perSecond').toFixed(2)})`;
    };
    return table(
      ['in flight', ...ways.map((way) => WAYS[way])],
      levels.map((level) => [String(level), ...ways.map((way) => cell(way, level))]),
    );
  },

  'wire-cpu'(figures, kind) {
    const both = (medians, figure) =>
      medians.ours[figure] === undefined ? '' : `${written(medians.ours[figure])} (${written(medians.bare[figure])})`;
    return table(
      [
        'µs a request, in brackets of the bare loop',
        'in flight',
        'Redis',
        'service',
        'client',
        'median, ms',
        '99 %, ms',
      ],
      figures.rowsOf(`wire/${kind}/`).map((row) => {
        const cells = ['redisUs', 'serviceUs', 'clientUs', 'p50Ms', 'p99Ms'].map((figure) => both(row.medians, figure));
        return [WAYS[row.id.split('/')[2]], String(levelOf(row)), ...cells];
      }),
    );
  },

  'wire-commands': (figures, kind) =>
    table(
      ['32 in flight', 'ours', 'bare loop'],
      Object.keys(WAYS)
        .map((way) => [way, figures.rows.get(`wire/${kind}/${way}/32`)])
        .filter(([, row]) => row)
        .map(([way, { medians }]) => [
          WAYS[way],
          commandsText(medians.ours.commands),
          commandsText(medians.bare.commands),
        ]),
    ),

  'wire-paper': (figures) =>
    table(
      ['in flight', "the paper's way: a connection a request", 'channels, BLPOP, pooled', 'channels, inbox'],
      figures
        .rowsOf('wire/view/list/')
        .filter(({ medians }) => medians.paper)
        .map((row) => [
          String(levelOf(row)),
          written(row.medians.paper.perSecond),
          written(row.medians.ours.perSecond),
          written(figures.median(`wire/view/inbox/${levelOf(row)}`, 'ours', 'perSecond')),
        ]),
    ),

  'streams-redis': (figures) =>
    table(
      ['in flight', 'streams, µs of Redis a view', 'channels', ''],
      figures.rowsOf('wire/view/streams/').map((row) => {
        const channels = `wire/view/inbox/${levelOf(row)}`;
        return [
          String(levelOf(row)),
          written(row.medians.ours.redisUs),
          written(figures.median(channels, 'ours', 'redisUs')),
          times(figures.ratioOfRows(row.id, channels, 'ours', 'redisUs')),
        ];
      }),
    ),

  store: (figures) =>
    table(
      ['', 'at once', 'a second', '', 'its process, µs', '', 'Redis, µs', '', 'tuned: a second', 'its process, µs'],
      figures
        .rowsOf('store/')
        .map(({ id, title, medians: { ours, tuned } }) => [
          title,
          id.split('/').at(-1),
          ...['perSecond', 'siteUs', 'redisUs'].flatMap((figure) => [
            written(ours[figure]),
            ratioText(figures, id, figure),
          ]),
          times(ours.perSecond / tuned.perSecond),
          times(ours.siteUs / tuned.siteUs),
        ]),
    ),

  'store-commands': (figures) =>
    table(
      ['', 'sessionwise', 'connect-redis'],
      figures
        .rowsOf('store/')
        .filter(({ id }) => id.endsWith('/16'))
        .map(({ title, medians }) => [
          title,
          commandsText(medians.ours.commands),
          commandsText(medians.connectRedis.commands),
        ]),
    ),

  memory: (figures) =>
    table(
      ['', 'bytes'],
      [
        ['a subject: one view', written(figures.median('memory/views', 'one', 'bytes'))],
        ['a subject: 20 views of 12 pages in 10 minutes', written(figures.median('memory/views', 'twenty', 'bytes'))],
        ['AOF, a view, mean of those 20', written(figures.median('memory/file', 'view', 'bytes'))],
        ["a session's own data, just made", written(figures.median('memory/session', 'ours', 'bytes'))],
        ['the same, connect-redis', written(figures.median('memory/session', 'connectRedis', 'bytes'))],
      ],
    ),

  growth: (figures) =>
    table(
      ['subjects', 'bytes each so far', 'bytes each of this step'],
      Object.entries(figures.row('memory/growth').medians).map(([subjects, { bytes, meanBytes }]) => [
        written(Number(subjects)),
        written(meanBytes),
        written(bytes),
      ]),
    ),

  people: (figures) =>
    table(
      ['', ...Object.values(PEOPLE), '', ''],
      figures.rowsOf('people/').flatMap(({ id, title, medians }) =>
        Object.entries(PEOPLE_FIGURES)
          .filter(([figure]) => medians.few[figure] !== undefined)
          .map(([figure, unit]) => [
            `${title}${unit}`,
            ...Object.keys(PEOPLE).map((side) => written(medians[side][figure])),
            times(figures.ratio(id, 'many', figure)),
            times(figures.ratio(id, 'most', figure)),
          ]),
      ),
    ),

  start: (figures) =>
    table(
      ['', 'ms', 'modules'],
      [
        ['`sessionwise serve` serves', written(figures.median('start/service', 'ours', 'ms')), ''],
        ...Object.entries(figures.row('start/import').medians).map(([imported, { ms, modules }]) => [
          `import \`${imported}\``,
          written(ms),
          String(modules),
        ]),
      ],
    ),
};

const PEOPLE_FIGURES = {
  bytes: '',
  redisUs: ', µs of Redis',
  serviceUs: ', µs of the service',
  p50Ms: ', median in ms',
};

// Parts that were measured by themselves, and put to the others later.
function addedRows(rows) {
  const parts = new Map(
    rows.filter(({ measured }) => measured).map(({ id, measured }) => [id.split('/')[0], measured]),
  );
  return [...parts].map(([part, { startedAt, commit }]) => [
    `\`${part}\`, measured by itself`,
    `${startedAt.slice(0, 10)}, ${new Date(startedAt).toLocaleTimeString('en-GB', CLOCK)} UTC, commit ${commit}`,
  ]);
}

function levelOf({ id }) {
  return Number(id.split('/').at(-1));
}

function ratioText(figures, id, figure) {
  const ratio = figures.row(id).ratios.ours[figure];
  return ratio === undefined ? '' : times(ratio);
}
