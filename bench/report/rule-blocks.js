import { commandsText, table, written } from './markdown.js';

/* rule-blocks.js: tables about rules, for blocks.js. */

const NOT_YET = 'Not measured yet.';
const SIDES = { none: 'no rules', rules: '200 rules' };

const TABLES = {
  rules: (figures) => {
    const { id, load, medians } = figures.row('rules/page');
    return table(
      [load, 'pages a second', '', 'median, ms', 'Redis, µs', '', 'service, µs', '', 'commands of Redis'],
      Object.entries(SIDES).map(([side, title]) => {
        const ratio = (figure) => (side === 'none' ? '' : `${figures.ratio(id, side, figure).toFixed(2)} ×`);
        const { perSecond, p50Ms, redisUs, serviceUs, commands } = medians[side];
        return [
          title,
          written(perSecond),
          ratio('perSecond'),
          written(p50Ms),
          written(redisUs),
          ratio('redisUs'),
          written(serviceUs),
          ratio('serviceUs'),
          commandsText(commands),
        ];
      }),
    );
  },

  'rules-evaluation': (figures) => {
    const { medians } = figures.row('rules/evaluation');
    const { evaluationUs, suggested } = medians.rules;
    return `${written(evaluationUs)} µs of CPU for 200 rules, of which ${written(suggested)} are suggested`;
  },
};

/** A run that was made before there were rules has none of these rows. */
export const RULE_BLOCKS = Object.fromEntries(
  Object.entries(TABLES).map(([name, draw]) => [
    name,
    (figures) => (figures.rows.has('rules/page') ? draw(figures) : NOT_YET),
  ]),
);
