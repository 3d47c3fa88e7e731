import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';

/** How events are consumed; only `group` must be given. */
export interface ConsumeOptions {
  /** Names the consumer group. Loops of one group, in any number of processes, share the events; each group gets all of
   *  them. 1 to 128 characters. */
  readonly group: string;
  /** Where a group begins that is new: with what happens from now on (`now`, default), or with the oldest event that is
   *  still kept (`start`). A group that exists goes on where it was. */
  readonly from?: 'now' | 'start';
  /** How long a loop may have an event in hand before another loop of the group takes it over, in milliseconds: longer than
   *  the handling of one event takes. From 100 to 86,400,000. Default 60,000. */
  readonly takeOverMs?: number;
  /** Ends the loop. The event in hand is handled to its end. */
  readonly signal?: AbortSignal;
  /** Called when Redis is away or refuses for now, once until it is back: the loop goes on by itself then. Default: a
   *  process warning after five seconds, outside production. */
  readonly onDown?: (error: Error) => void;
}

/** The options of a consumer, checked, with their defaults. */
export interface CheckedConsumeOptions {
  readonly group: string;
  readonly from: 'now' | 'start';
  readonly takeOverMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onDown: ((error: Error) => void) | undefined;
}

const FORMS: OptionForms<ConsumeOptions> = {
  group: 'any',
  from: '"now"|"start"',
  takeOverMs: 'any',
  signal: 'object',
  onDown: 'function',
};
const MOST_CHARACTERS = 128;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SHORTEST_TAKE_OVER_MS = 100;
const LONGEST_TAKE_OVER_MS = 86_400_000;

/** Checks options. `owner`: the method that takes them, for the message.
 *  @throws RangeError that names what cannot be used. */
export function checkConsumeOptions(owner: string, options: ConsumeOptions): CheckedConsumeOptions {
  checkOptions(owner, options, FORMS);
  const { group, from = 'now', takeOverMs = 60_000, signal, onDown } = options;
  const isText = typeof group === 'string' && group.length > 0 && group.length <= MOST_CHARACTERS;
  if (!isText || LONE_SURROGATE.test(group)) {
    const shown = String(JSON.stringify(group)).slice(0, 60);
    throw new RangeError(
      `${owner}: group ${shown} cannot be used: give the name of a consumer group, 1 to ${MOST_CHARACTERS} characters.`,
    );
  }
  if (!Number.isInteger(takeOverMs) || takeOverMs < SHORTEST_TAKE_OVER_MS || takeOverMs > LONGEST_TAKE_OVER_MS) {
    throw new RangeError(
      `${owner}: takeOverMs ${String(takeOverMs)} cannot be used: give milliseconds from ${SHORTEST_TAKE_OVER_MS} to ${LONGEST_TAKE_OVER_MS}.`,
    );
  }
  if (signal !== undefined && typeof signal.addEventListener !== 'function') {
    throw new RangeError(`${owner}: signal cannot be used: give the signal of an AbortController.`);
  }
  return { group, from, takeOverMs, signal, onDown };
}
