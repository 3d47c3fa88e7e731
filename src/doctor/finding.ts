/** Result of one check. */
export interface Finding {
  /** `problem`: would lose, evict or expose data, or cannot work. `note`: worth knowing. */
  readonly level: 'good' | 'note' | 'problem';
  readonly about: string;
  /** Describes the finding; for a problem, also its remedy. */
  readonly text: string;
}

export const good = (about: string, text: string): Finding => ({ level: 'good', about, text });
export const note = (about: string, text: string): Finding => ({ level: 'note', about, text });
export const problem = (about: string, text: string): Finding => ({ level: 'problem', about, text });
