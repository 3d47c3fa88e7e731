import { checkOptions } from '../protocol/internal/index.ts';

/* handle-arguments.ts: what the methods of a handle are given. A mistake of the calling code throws at once, with or without
 * a visitor, so that the first try shows it. What is in a list can come from data and must not fail a page: the client
 * refuses it as the service would, with `undefined` and the event `degraded`. */

/** Options of a question about items. */
export interface ItemOptions {
  /** The most items that are returned: a whole number from 0. Default: all. */
  readonly limit?: number;
}

/** Returns the text that names an object: its path, its URL or a name. */
export type ItemPick<Object> = (object: Object) => string;

/** Things that a page asks about, and the items that name them. */
interface NamedThings<Thing> {
  readonly things: readonly Thing[];
  /** One for each thing, in their order. */
  readonly items: readonly string[];
  readonly limit: number;
}

/** Checks that a method was given an array, and returns a copy of it. `expected`: what to give, for the message.
 *  @throws TypeError */
export function checkArray<Element>(method: string, given: readonly Element[], expected: string): Element[] {
  if (Array.isArray(given)) return given.slice();
  throw new TypeError(`${method}() was given ${inWords(given)}: give ${expected}.`);
}

/** Reads the arguments of a question about items: texts, or objects and a function that names them.
 *  @throws TypeError for no array, and for objects without that function; RangeError for options that cannot be used. */
export function namedThings<Thing>(
  method: string,
  given: readonly Thing[],
  pickOrOptions: ItemPick<Thing> | ItemOptions | undefined,
  more: ItemOptions | undefined,
): NamedThings<Thing> {
  const things = checkArray(method, given, 'an array of items');
  const pick = typeof pickOrOptions === 'function' ? pickOrOptions : undefined;
  const options = more ?? (pick ? undefined : (pickOrOptions as ItemOptions | undefined));
  if (!pick && things.some((thing) => typeof thing === 'object' && thing !== null)) {
    throw new TypeError(
      `${method}() was given objects and no function that names them. Give one: ${method}(articles, (article) => article.url).`,
    );
  }
  const limit = limitOf(method, options);
  return { things, items: pick ? things.map((thing) => pick(thing)) : (things as unknown as string[]), limit };
}

function limitOf(method: string, options: ItemOptions | undefined): number {
  if (options === undefined) return Number.POSITIVE_INFINITY;
  checkOptions(`${method}()`, options, { limit: 'number' });
  const { limit = Number.POSITIVE_INFINITY } = options;
  if (options.limit === undefined || (Number.isInteger(limit) && limit >= 0)) return limit;
  throw new RangeError(`${method}(): limit ${limit} cannot be used: give a whole number from 0, or leave it out.`);
}

function inWords(given: unknown): string {
  if (given === undefined || given === null) return String(given);
  return typeof given === 'string' ? 'a text' : `a value of type ${typeof given}`;
}
