import type { Apply } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { ReadingContext } from '../subject-reading.ts';
import type { SubjectWrites } from '../subject-writes.ts';
import type { NoticeReach } from './notice-reach.ts';
import type { markNoticesScript } from './scripts/subject-scripts.ts';
import type { NoticeMark, SubjectStates } from './subject-states.ts';

// So many marks are written in one step: Redis serves nobody else meanwhile, and a script's answer is bounded.
const MARKED_IN_A_STEP = 2_000;

/** A mark, and the notice that it is for. */
export interface IdMark extends NoticeMark {
  readonly notice: ItemHash;
}

/** Marks of notices whose lists the application keeps. */
export interface ForeignMarks {
  readonly ids: readonly string[];
  readonly areRead: boolean;
}

/** No marks of such notices. */
export const NO_FOREIGN: ForeignMarks = { ids: [], areRead: true };

/** Writes what subjects did with notices, and counts those who saw and read them. */
export class MarkWrites {
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;
  readonly #states: SubjectStates;
  readonly #reach: NoticeReach;
  readonly #writes: SubjectWrites;
  readonly #scriptOf: (subject: string) => ReturnType<typeof markNoticesScript>;

  /** `scriptOf`: the script that marks notices of a subject. */
  constructor(
    context: ReadingContext,
    parts: {
      readonly items: ItemHasher;
      readonly states: SubjectStates;
      readonly reach: NoticeReach;
      readonly writes: SubjectWrites;
    },
    scriptOf: (subject: string) => ReturnType<typeof markNoticesScript>,
  ) {
    this.#context = context;
    this.#items = parts.items;
    this.#states = parts.states;
    this.#reach = parts.reach;
    this.#writes = parts.writes;
    this.#scriptOf = scriptOf;
  }

  /** Writes marks of lists by their positions, foreign ones by their ids as read or not. In one atomic step, or where they
   *  are many, in several. The last one is done by `apply`: a request that is cut off before it is served again, and marks
   *  the rest. */
  async write(
    subject: string,
    marks: readonly IdMark[],
    foreign: ForeignMarks,
    apply: Apply = this.#writes.apply,
  ): Promise<void> {
    if (marks.length === 0 && foreign.ids.length === 0) return;
    // The oldest first: states of a list grow at their end, and moving them for each older one would take a thousand times
    // a thousand steps.
    let rest = marks.toSorted((a, b) => a.sequence - b.sequence);
    for (; rest.length > MARKED_IN_A_STEP; rest = rest.slice(MARKED_IN_A_STEP)) {
      await this.#writeStep(subject, rest.slice(0, MARKED_IN_A_STEP), NO_FOREIGN, this.#writes.apply);
    }
    await this.#writeStep(subject, rest, foreign, apply);
  }

  async #writeStep(subject: string, marks: readonly IdMark[], foreign: ForeignMarks, apply: Apply): Promise<void> {
    const { keys } = this.#context;
    const named = this.#writes.keysOf(subject, {
      states: keys.noticeStates(subject),
      foreign: keys.foreignNotices(subject),
    });
    const step = async () => {
      const rest = await this.#states.argumentsOf(subject, marks, this.#items.ofAll('notice', foreign.ids));
      const args = { now: this.#writes.seconds(), marks: marks.length, forget: foreign.areRead ? 0 : 1 };
      return this.#scriptOf(subject).step(named, args, (answer) => answer, { args: rest });
    };
    const [claimed, ...became] = await this.#writes.write(subject, step(), apply);
    if (claimed === 1) await this.#writes.mergeLate(subject);
    const noticesOf = (bit: number): ItemHash[] => [
      ...new Set(marks.filter((_, i) => ((became[i] ?? 0) & bit) !== 0).map(({ notice }) => notice)),
    ];
    await this.#reach.add(subject, { seen: noticesOf(1), read: noticesOf(2) });
  }
}
