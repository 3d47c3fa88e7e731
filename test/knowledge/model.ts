/** What a subject should be known for: plain sets and numbers. Minutes are numbers of the epoch. */
export class SubjectModel {
  readonly pages = new Set<number>();
  readonly items = new Set<number>();
  readonly minutes = new Set<number>();
  /** Times at which each event or cluster happened, in seconds. */
  readonly facts = new Map<string, number[]>();
  views = 0;
  /** When the last view was that was not out of order, in milliseconds. */
  clock = 0;

  /** Notes that something happened at `at` (milliseconds), `count` times. */
  happened(name: string, at: number, count = 1): void {
    const times = this.facts.get(name) ?? [];
    for (let i = 0; i < count; i += 1) times.push(Math.floor(at / 1_000));
    this.facts.set(name, times);
  }

  /** Counts a view at `at` (milliseconds) and returns what the answer to it should be. */
  view(page: number, at: number) {
    const minute = Math.floor(at / 60_000);
    const was = (back: number): boolean => this.minutes.has(minute - back);
    const answer = {
      previouslyVisited: this.pages.has(page),
      lastMinutes: [5, 4, 3, 2, 1].map(was),
      thisMinute: was(0),
    };
    this.views += 1;
    this.pages.add(page);
    this.minutes.add(minute);
    return { ...answer, totalPages: this.views, uniquePages: this.pages.size };
  }
}
