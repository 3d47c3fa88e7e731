/** One thing that was looked at. */
export interface Finding {
  /** `problem`: would lose, evict or expose data, or cannot work. `note`: worth knowing. */
  readonly level: 'good' | 'note' | 'problem';
  readonly about: string;
  /** What it is and, where it is a problem, what to do. */
  readonly text: string;
}

export const good = (about: string, text: string): Finding => ({ level: 'good', about, text });
export const note = (about: string, text: string): Finding => ({ level: 'note', about, text });
export const problem = (about: string, text: string): Finding => ({ level: 'problem', about, text });
