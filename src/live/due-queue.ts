/** Works on what is due, some at a time: each once, however often it is added while it waits. */
export class DueQueue<Thing> {
  readonly #due = new Set<Thing>();
  readonly #work: (thing: Thing) => Promise<void>;
  readonly #mostAtOnce: number;
  #working = 0;

  /** `work` never rejects. */
  constructor(mostAtOnce: number, work: (thing: Thing) => Promise<void>) {
    this.#mostAtOnce = mostAtOnce;
    this.#work = work;
  }

  add(thing: Thing): void {
    this.#due.add(thing);
    this.#next();
  }

  delete(thing: Thing): void {
    this.#due.delete(thing);
  }

  #next(): void {
    for (const thing of this.#due) {
      if (this.#working >= this.#mostAtOnce) return;
      this.#due.delete(thing);
      this.#working += 1;
      void this.#work(thing).finally(() => {
        this.#working -= 1;
        this.#next();
      });
    }
  }
}
