// @ts-check
import { nameOf } from '../catalogue.js';

/* reasons.js: why a rule fired, or did not yet, in the words of whom it is about. */

/** @import { ExplainedRule, Explanation } from 'sessionwise' */
/** A fact at the end of a condition. `helps`: whether the rule is served by what it is.
 *  @typedef {{ fact: Explanation, helps: boolean }} Leaf */

/** What the shop's rules ask about by a name of its own: as it is, and as it is not.
 *  @type {Record<string, [string, string]>} */
const SEGMENTS = { serious: ['you put something into the cart', 'you have put nothing into the cart'] };

/** What a rule's explanation comes to: `because you looked at the Television and not yet at the HDMI cable`.
 *  @param {ExplainedRule} rule */
export function reasonOf({ explanation }) {
  return `because ${clausesOf(leavesOf(explanation).map(({ fact }) => fact))}`;
}

/** What is missing still; undefined where nothing of the rule holds, so that nobody has come near it.
 *  @param {ExplainedRule} rule */
export function missingOf({ explanation }) {
  const leaves = leavesOf(explanation);
  const isBegun = leaves.some(({ fact, helps }) => helps && fact.holds) || leaves.some(({ fact }) => fact.count);
  if (!isBegun) return undefined;
  return clausesOf(leaves.filter(({ helps }) => !helps).map(({ fact }) => fact));
}

/** What keeps a rule away, as what is in the cart already does; undefined where nothing does.
 *  @param {ExplainedRule} rule */
export function blockedOf({ explanation }) {
  const blocking = leavesOf(explanation).filter(({ fact, helps }) => !helps && fact.holds);
  return blocking.length === 0 ? undefined : clausesOf(blocking.map(({ fact }) => fact));
}

/** Whether the cart keeps a rule away. @param {ExplainedRule} rule */
export function isBlockedByCart({ explanation }) {
  return leavesOf(explanation).some(({ fact, helps }) => !helps && fact.holds && fact.event === 'added-to-cart');
}

/** @param {Explanation} explanation @param {boolean} [isNegated] @returns {Leaf[]} */
function leavesOf(explanation, isNegated = false) {
  const { all, any, not } = explanation;
  if (not) return leavesOf(not, !isNegated);
  const within = all ?? any;
  if (within) return within.flatMap((one) => leavesOf(one, isNegated));
  return [{ fact: explanation, helps: explanation.holds !== isNegated }];
}

/** @param {readonly Explanation[]} facts */
function clausesOf(facts) {
  const pages = facts.filter(({ seen }) => seen !== undefined);
  const looked = pages.filter(({ holds }) => holds).map(nameOfPage);
  const notYet = pages.filter(({ holds }) => !holds).map(nameOfPage);
  const clauses = facts.filter(({ seen }) => seen === undefined).map(clauseOf);
  if (looked.length > 0)
    clauses.unshift(`you looked at ${listed(looked)}${notYet.length > 0 ? ` and not yet at ${listed(notYet)}` : ''}`);
  else if (notYet.length > 0) clauses.unshift(`you have not looked at ${listed(notYet)} yet`);
  return listed(clauses);
}

/** @param {Explanation} fact */
function clauseOf({ holds, text, event, item, cluster, segment, count = 0, atLeast = 1 }) {
  if (event === 'added-to-cart' && item !== undefined) {
    return holds ? `your cart has the ${nameOfPath(item)}` : `your cart has no ${nameOfPath(item)}`;
  }
  if (cluster !== undefined) {
    return `you looked at ${holds ? count : `${count} of ${atLeast}`} pages among ${cluster}`;
  }
  const words = segment === undefined ? undefined : SEGMENTS[segment];
  return words ? words[holds ? 0 : 1] : text;
}

/** @param {Explanation} fact */
function nameOfPage({ seen = '' }) {
  return `the ${nameOfPath(seen)}`;
}

/** A product as a sentence names it. @param {string} path */
export function nameOfPath(path) {
  return nameOf(path.split('/').at(-1) ?? path).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

/** `a, b and c`. @param {readonly string[]} names */
export function listed(names) {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
