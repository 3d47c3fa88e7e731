import { type Part, partOf } from './part.ts';

/** A part that is read in the background now and then, because it takes long or costs something: a page waits for it never,
 *  and shows what was read last. */
export class BackgroundRead<Value> {
  readonly #everyMs: number;
  readonly #read: () => Promise<Value>;
  #last: Part<Value> | undefined;
  #beganAt = Number.NEGATIVE_INFINITY;
  #isReading = false;

  constructor(everyMs: number, read: () => Promise<Value>) {
    this.#everyMs = everyMs;
    this.#read = read;
  }

  /** What was read last; null until the first has come. Begins to read anew where that is due. */
  get last(): Part<Value> | null {
    if (!this.#isReading && performance.now() - this.#beganAt >= this.#everyMs) {
      this.#isReading = true;
      this.#beganAt = performance.now();
      void partOf(this.#read).then((part) => {
        this.#last = part;
        this.#isReading = false;
      });
    }
    return this.#last ?? null;
  }

  /** Reads anew when next asked. */
  forget(): void {
    this.#beganAt = Number.NEGATIVE_INFINITY;
  }
}
