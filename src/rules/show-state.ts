import type { SuggestionMark } from '../protocol/index.ts';
import type { Answers } from './answers.ts';
import { type FactName, nameOfMark } from './fact-name.ts';
import type { SuggestionRule } from './rules.ts';
import { times, within } from './words.ts';

const SECONDS_PER_DAY = 86_400;

/** Whether a suggestion that holds is kept away, by what was noted of it. */
export class ShowState {
  readonly #rule: SuggestionRule;
  readonly #shown: number;
  readonly #dismissed: number;

  constructor(rule: SuggestionRule, numberOfFact: (name: FactName) => number) {
    const number = (mark: SuggestionMark): number => numberOfFact({ kind: 'event', name: nameOfMark(mark, rule.name) });
    this.#rule = rule;
    this.#shown = number('shown');
    this.#dismissed = number('dismissed');
  }

  /** Whether it is kept away. Allocates nothing. */
  isHidden(answers: Answers): boolean {
    return answers.known.facts[this.#dismissed] !== undefined || this.#isUsedUp(answers) || this.#isTooSoon(answers);
  }

  /** Why it is kept away, in words; undefined where it is not. */
  whyHidden(answers: Answers): string | undefined {
    if (answers.known.facts[this.#dismissed] !== undefined) return 'was dismissed';
    const { show, cooldown } = this.#rule;
    if (this.#isUsedUp(answers)) {
      const { atMost, perDays } = show!;
      return `was shown ${times(String(answers.countOf(this.#shown, perDays)))}${within(perDays)}, ${atMost} at most`;
    }
    if (!this.#isTooSoon(answers)) return undefined;
    return `was shown less than ${cooldown} ${cooldown === 1 ? 'day' : 'days'} ago`;
  }

  #isUsedUp(answers: Answers): boolean {
    const { show } = this.#rule;
    return show !== undefined && answers.countOf(this.#shown, show.perDays) >= show.atMost;
  }

  #isTooSoon({ known }: Answers): boolean {
    const { cooldown } = this.#rule;
    const shown = known.facts[this.#shown];
    return cooldown !== undefined && shown !== undefined && known.now < shown.last + cooldown * SECONDS_PER_DAY;
  }
}
