import { createConnection, Keys, type RedisConnection } from '../../src/redis/index.ts';
import { streamOf } from '../../src/transport/streams/stream-of.ts';

/** A producer of another make: it knows XADD, and nothing of ours. */
export class StreamProducer {
  readonly redis: RedisConnection;
  readonly keys: Keys;

  private constructor(redis: RedisConnection, namespace: string) {
    this.redis = redis;
    this.keys = new Keys(namespace);
  }

  static async connect(url: string, namespace = 'sw'): Promise<StreamProducer> {
    return new StreamProducer(await createConnection(url, 'producer').connect(), namespace);
  }

  /** The stream of a session. */
  streamOf(session: string): string {
    return this.keys.requests(streamOf(session, this.redis));
  }

  /** XADD of fields as they are, to the stream of a session. The entry's id. */
  add(session: string, ...fields: (string | Buffer)[]): Promise<string> {
    return this.redis.command('XADD', this.streamOf(session), '*', ...fields);
  }

  /** XADD of a request. */
  ask(command: string, session: string, request: string, payload: string, deadlineMs?: number): Promise<string> {
    const deadline = deadlineMs === undefined ? [] : ['d', String(deadlineMs)];
    return this.add(session, 'c', command, 's', session, 'r', request, 'p', payload, ...deadline);
  }

  /** How many requests wait for a session and its neighbours. */
  waiting(session: string): Promise<number> {
    return this.redis.command('XLEN', this.streamOf(session));
  }

  /** What was given up beside a session: the fields of each. */
  async deadLetters(session: string): Promise<Record<string, string>[]> {
    const key = this.keys.deadLetters(streamOf(session, this.redis));
    const entries = await this.redis.command<[string, string[]][]>('XRANGE', key, '-', '+');
    return entries.map(([, fields]) => {
      const letter: Record<string, string> = {};
      for (let i = 0; i < fields.length; i += 2) letter[fields[i]!] = fields[i + 1]!;
      return letter;
    });
  }

  close(): Promise<void> {
    return this.redis.close();
  }
}
