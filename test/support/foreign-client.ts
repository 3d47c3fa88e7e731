import { inboxChannel, parseInboxMessage, replyKey, topicChannel } from '../../src/protocol/index.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';

const DEADLINE_MS = 2_000;

/** A client that knows the wire and nothing of ours: PUBLISH and BLPOP, or one inbox. A reply that never comes is told after
 *  two seconds: on a list as `undefined`, on the inbox as an error. */
export class ForeignClient {
  readonly redis: RedisConnection;
  readonly #blocking: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #namespace: string;
  readonly #inbox = `inbox-${process.pid}`;
  readonly #waiting = new Map<number, (json: string) => void>();
  #last = 0;

  private constructor(redis: RedisConnection, namespace: string) {
    this.redis = redis;
    this.#namespace = namespace;
    this.#blocking = redis.duplicate();
    this.#subscriber = redis.duplicate();
  }

  static async connect(url: string, namespace = 'sw'): Promise<ForeignClient> {
    const client = new ForeignClient(await createConnection(url, 'foreign').connect(), namespace);
    await Promise.all([client.#blocking.connect(), client.#subscriber.connect()]);
    await client.#subscriber.subscribe(inboxChannel(namespace, client.#inbox), (message) => {
      for (const reply of parseInboxMessage(message)) {
        const settle = reply && client.#waiting.get(reply.number);
        if (!settle) throw new Error(`An inbox message that nobody waits for: ${message.slice(0, 80)}`);
        client.#waiting.delete(reply.number);
        settle(reply.json);
      }
    });
    return client;
  }

  /** PUBLISH; how many heard it. `payload` stands in the message, or in the channel's fifth part. */
  publish(command: string, session: string, request: string, payload: string | Buffer, fifth = false): Promise<number> {
    const channel = topicChannel(this.#namespace, command, session, request);
    return fifth
      ? this.redis.command('PUBLISH', `${channel}:${payload}`, '')
      : this.redis.command('PUBLISH', channel, payload);
  }

  /** The reply's text by PUBLISH and BLPOP. */
  async askByList(
    command: string,
    session: string,
    payload: string | Buffer,
    fifth = false,
  ): Promise<string | undefined> {
    const request = this.nextRequest();
    await this.publish(command, session, request, payload, fifth);
    return this.take(command, session, request);
  }

  /** The reply's text on the inbox. */
  async askByInbox(command: string, session: string, payload: string | Buffer, fifth = false): Promise<string> {
    this.#last += 1;
    const number = this.#last;
    let timer: NodeJS.Timeout | undefined;
    const reply = new Promise<string>((resolve, reject) => {
      this.#waiting.set(number, resolve);
      timer = setTimeout(() => reject(new Error(`No reply to ${command} in ${DEADLINE_MS} ms.`)), DEADLINE_MS);
    });
    await this.publish(command, session, `${this.#inbox}.${number}`, payload, fifth);
    return reply.finally(() => clearTimeout(timer));
  }

  /** The reply, decoded once. */
  async ask(command: string, session: string, payload: unknown): Promise<unknown> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return JSON.parse(await this.askByInbox(command, session, text));
  }

  /** BLPOP on a reply list, for two seconds. */
  async take(command: string, session: string, request: string): Promise<string | undefined> {
    const key = replyKey(this.#namespace, { command, session, request });
    return (await this.#blocking.command<[string, string] | null>('BLPOP', key, '2'))?.[1];
  }

  nextRequest(): string {
    this.#last += 1;
    return `r${process.pid}-${this.#last}`;
  }

  /** All keys there are, but for those that come and go with the seconds. */
  async keys(): Promise<string[]> {
    const keys = await this.redis.command<string[]>('KEYS', '*');
    // A service takes and gives back its leases as time goes by, and writes the counts of the site.
    return keys.filter((key) => !key.includes(':@lease:') && !key.includes(':@site:')).sort();
  }

  async close(): Promise<void> {
    await Promise.all([this.redis.close(), this.#blocking.close(), this.#subscriber.close()]);
  }
}
