import type { StreamConsumer } from './stream-consumer.ts';

/** The consumers that one part of a process has opened, so that they end with it. */
export class Consumers {
  readonly #open = new Set<StreamConsumer<unknown>>();
  #isClosed = false;

  /** Adds one. It leaves by itself when it ends. */
  add<Event>(consumer: StreamConsumer<Event>): StreamConsumer<Event> {
    this.#open.add(consumer);
    consumer.onEnd(() => this.#open.delete(consumer));
    if (this.#isClosed) void consumer.return();
    return consumer;
  }

  /** Ends all. Resolves when none has a connection any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#open].map((consumer) => consumer.return()));
  }
}
