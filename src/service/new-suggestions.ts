import type { Knowledge, SubjectReading } from '../knowledge/index.ts';
import type { Listening } from './listening.ts';
import type { ActiveRules } from './rules/active-rules.ts';
import { beginning, type Counted, suggestionsAbout } from './rules/beginning.ts';
import type { ServedRules } from './rules/served-rules.ts';

/* new-suggestions.ts: tells open streams which suggestions begin to hold.
 *
 * It looks where an item is seen for the first time, or an event or a cluster is counted, that a rule asks about. So all other
 * views cost nothing, and each suggestion is told when it begins. Where nobody listens, nothing is asked or told at all.
 * A rule that begins to hold by time or by the number of views alone is not told: the page is told when it asks next. */

/** Tells suggestions that begin to hold. */
export class NewSuggestions {
  readonly #rules: ActiveRules;
  readonly #knowledge: Knowledge;
  readonly #listening: Listening;

  constructor(rules: ActiveRules, knowledge: Knowledge, listening: Listening) {
    this.#rules = rules;
    this.#knowledge = knowledge;
    this.#listening = listening;
  }

  /** Looks which suggestions begin to hold by what a write counted. `subject`: not read before the write. Waits for nothing;
   *  what fails is not told. */
  counted(subject: SubjectReading, counted: Counted): void {
    const served = this.#rules.current;
    if (suggestionsAbout(served, counted).length > 0) void this.#tell(served, subject, counted).catch(() => undefined);
  }

  async #tell(served: ServedRules, subject: SubjectReading, counted: Counted): Promise<void> {
    if (!(await this.#listening.isAnybody())) return;
    const asked = suggestionsAbout(served, counted);
    const begun = await beginning(served, asked, subject, counted, this.#knowledge.now());
    for (const { name } of begun) await this.#knowledge.notices.events.suggested(subject.subject, name);
  }
}
