// @ts-check
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

/* code.js: the same as the developer of a site writes it. */

/** @import { Call } from './page-log.js' */

const MOST_CHARACTERS = 1_500;
const RULES = JSON.parse(readFileSync(new URL('../sessionwise.json', import.meta.url), 'utf8'));
/** What a page calls an answer. Others are not kept. @type {Record<string, string>} */
const NAMES = {
  'sessionwise.visit': 'visit',
  'sessionwise.unseen': 'fresh',
  'sessionwise.suggestions': 'tips',
  'sessionwise.notices.counts': 'counts',
  'sessionwise.notices.list': 'notices',
  'sessionwise.figures': 'figures',
};

/** The call. @param {Call} call */
export function codeOf({ name, args }) {
  const kept = NAMES[name] === undefined ? '' : `const ${NAMES[name]} = `;
  return `${kept}await request.${name}(${args.map(literal).join(', ')});`;
}

/** What it was answered. @param {Call} call */
export function answerOf({ answer, ms, failed }) {
  if (ms === undefined) return undefined;
  return failed ? '// throws' : literal(answer);
}

/** A rule as it stands in the service's configuration. @param {string} name @returns {string | undefined} */
export function ruleOf(name) {
  const rule = RULES.suggestions.find((/** @type {{ name: string }} */ one) => one.name === name);
  return rule && literal(rule);
}

/** @param {unknown} value */
function literal(value) {
  const text = inspect(value, { depth: 8, breakLength: 44, compact: 1, maxArrayLength: 20, maxStringLength: 200 });
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)} …`;
}
