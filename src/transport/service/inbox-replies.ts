import { atEndOfTurn } from '../../async/index.ts';

// A message that is much longer holds the others up.
const MOST_CHARACTERS = 65_536;

interface Waiting {
  readonly message: string;
  resolve(): void;
  reject(error: unknown): void;
}

/** Publishes a message on an inbox. Resolves when Redis has it. */
type Publish = (channel: string, message: string, replies: number) => Promise<void>;

/** Collects the replies that one turn of the event loop makes for an inbox, and sends them as one message: a command costs
 *  the service, Redis and the caller more than a reply. */
export class InboxReplies {
  readonly #publish: Publish;
  readonly #inboxes = new Map<string, Waiting[]>();

  constructor(publish: Publish) {
    this.#publish = publish;
  }

  /** Sends a reply. Resolves when Redis has it.
   *  @throws whatever keeps it from being sent. */
  send(channel: string, message: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = this.#inboxes.get(channel);
      if (waiting) waiting.push({ message, resolve, reject });
      else this.#inboxes.set(channel, [{ message, resolve, reject }]);
      if (this.#inboxes.size === 1 && !waiting) atEndOfTurn(this.#sendAll);
    });
  }

  readonly #sendAll = (): void => {
    const inboxes = [...this.#inboxes];
    this.#inboxes.clear();
    for (const [channel, waiting] of inboxes) {
      for (let from = 0; from < waiting.length; ) {
        let [to, characters] = [from, 0];
        while (to < waiting.length && (to === from || characters + waiting[to]!.message.length <= MOST_CHARACTERS)) {
          characters += waiting[to]!.message.length;
          to += 1;
        }
        this.#sendSome(channel, waiting.slice(from, to));
        from = to;
      }
    }
  };

  #sendSome(channel: string, some: readonly Waiting[]): void {
    this.#publish(channel, some.map(({ message }) => message).join('\n'), some.length).then(
      () => {
        for (const { resolve } of some) resolve();
      },
      (error: unknown) => {
        for (const { reject } of some) reject(error);
      },
    );
  }
}
