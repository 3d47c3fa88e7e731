import type { Condition } from './rules.ts';

/** Says a condition in a few words, as the end of a sentence. */
export function describeCondition(condition: Condition): string {
  if ('all' in condition) return `all of (${condition.all.map(describeCondition).join('; ')})`;
  if ('any' in condition) return `one of (${condition.any.map(describeCondition).join('; ')})`;
  if ('not' in condition) return `not (${describeCondition(condition.not)})`;
  if ('seen' in condition) return `seen ${condition.seen}`;
  if ('event' in condition) {
    const { event, item, atLeast, withinDays } = condition;
    return `event ${event}${item === undefined ? '' : ` with ${item}`}${howOften(atLeast, withinDays)}`;
  }
  if ('cluster' in condition) {
    const { cluster, atLeast, withinDays } = condition;
    return `pages of the cluster ${cluster}${howOften(atLeast, withinDays)}`;
  }
  if ('group' in condition) return `group ${condition.group}`;
  if ('segment' in condition) return `segment ${condition.segment}`;
  const [[name, value]] = Object.entries(condition) as [[string, unknown]];
  return value === true ? name : `${name} at least ${String(value)}`;
}

function howOften(atLeast = 1, withinDays?: number): string {
  const times = atLeast === 1 ? '' : `, at least ${atLeast} times`;
  return withinDays === undefined ? times : `${times}, within ${withinDays} days`;
}
