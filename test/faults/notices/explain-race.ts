import { ordersOf } from './orders.ts';

/* explain-race.ts: what may be there after the same notice was published, edited and withdrawn at once. Each list may have
 * taken them in an order of its own. */

/** One of the writes. */
export interface RacedWrite {
  readonly kind: 'publish' | 'edit' | 'withdraw';
  /** To which list it was published. */
  readonly list?: string;
  readonly text: string;
  /** What was answered: in how many lists it stood; for a publish 1 where the list held it already. Undefined where it was
   *  asked more than once, and may have been done more than once. */
  readonly found: number | undefined;
}

/** What a list has afterwards. */
export interface ListOutcome {
  /** Undefined where it does not hold the notice. */
  readonly text: string | undefined;
  /** Whether it is one that was published in the race. */
  readonly isNew: boolean;
}

interface Run {
  readonly outcome: ListOutcome;
  readonly found: ReadonlyMap<RacedWrite, number>;
}

/** Finds orders that lead from what one or two lists had (the texts, by the lists' places) to what they have, with these
 *  answers. Undefined where there are none. */
export function explainRace(
  lists: readonly string[],
  before: readonly (string | undefined)[],
  writes: readonly RacedWrite[],
  after: readonly (string | undefined)[],
): ListOutcome[] | undefined {
  const [runs, others = [undefined]] = lists.map((list, i) =>
    runsOf(list, before[i], writes).filter(({ outcome }) => outcome.text === after[i]),
  );
  for (const run of runs!) {
    for (const other of others) {
      const foundBy = (write: RacedWrite): number => (run.found.get(write) ?? 0) + (other?.found.get(write) ?? 0);
      if (writes.every((write) => write.found === undefined || write.found === foundBy(write))) {
        return other ? [run.outcome, other.outcome] : [run.outcome];
      }
    }
  }
  return undefined;
}

function runsOf(list: string, before: string | undefined, writes: readonly RacedWrite[]): Run[] {
  const here = writes.filter(({ kind, list: of }) => kind !== 'publish' || of === list);
  const twice = here.filter(({ found }) => found === undefined);
  return ordersOf([...here, ...twice]).map((order) => runIn(order, before));
}

function runIn(order: readonly RacedWrite[], before: string | undefined): Run {
  let [text, isNew] = [before, false];
  const found = new Map<RacedWrite, number>();
  for (const write of order) {
    found.set(write, text === undefined ? 0 : 1);
    if (write.kind === 'publish' && text === undefined) [text, isNew] = [write.text, true];
    if (write.kind === 'edit' && text !== undefined) text = write.text;
    if (write.kind === 'withdraw') [text, isNew] = [undefined, false];
  }
  return { outcome: { text, isNew }, found };
}
