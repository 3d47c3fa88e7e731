import { onTestFinished } from 'vitest';
import { SessionClient, type SessionClientOptions } from '../../src/index.ts';
import type { RedisConnection } from '../../src/redis/index.ts';
import { waitUntil } from './wait-until.ts';

/** A question that a staged service was asked. */
export interface Heard {
  readonly command: string;
  readonly session: string;
  readonly payload: string;
}

/** The reply to one question; undefined for none. */
export type StagedAnswer = (question: Heard) => unknown;

const LONG_MS = 20_000;
const COMMANDS = ['pageview', 'surface', 'combo', 'session-analytics', 'notifications', 'identify', 'together'];
let opened = 0;

/** Plays a service on the wire, in a namespace of its own, for tests that decide what is answered and when: through a real
 *  Redis, by docs/protocol.md. Each part of `together` is answered as if it were asked alone; where one has no answer, the
 *  message has none. */
export class StagedService {
  readonly namespace: string;
  /** Messages, in their order. */
  readonly messages: Heard[] = [];
  readonly #redis: RedisConnection;
  readonly #answer: StagedAnswer;
  #listener: RedisConnection | undefined;

  constructor(redis: RedisConnection, answer: StagedAnswer) {
    opened += 1;
    this.namespace = `staged${opened}`;
    this.#redis = redis;
    this.#answer = answer;
  }

  /** Starts it, and a client of it that sends questions together; both end with the test. */
  async open(options: Partial<SessionClientOptions> & { readonly redis: string }): Promise<SessionClient> {
    const { namespace } = this;
    this.#listener = await this.#redis.duplicate().connect();
    onTestFinished(() => this.#listener!.close());
    await this.#listener.subscribePatterns([`${namespace}:ss:*`], (payload, channel) => this.#hear(payload, channel));
    const client = new SessionClient({ namespace, deadlineMs: LONG_MS, ...options });
    onTestFinished(() => client.close());
    await client.ready();
    const beat = { instance: 'staged', glob: '?*', commands: COMMANDS, leaving: false };
    await waitUntil('it sends questions together', async () => {
      await this.#redis.command('PUBLISH', `${namespace}:async:_instances`, JSON.stringify(beat));
      const { messages } = client.counters;
      const page = client.session('warm');
      await Promise.all([page.request('combo', ''), page.request('combo', 'x')]);
      return client.counters.messages === messages + 1;
    });
    this.messages.length = 0;
    return client;
  }

  /** All that was asked, parts of messages one by one. */
  get heard(): Heard[] {
    return this.messages.flatMap((message) => partsOf(message));
  }

  #hear(payload: string, channel: string): void {
    const [, , command = '', session = '', request = ''] = channel.split(':');
    const message = { command, session, payload };
    this.messages.push(message);
    if (request === '_') return;
    const replies = partsOf(message).map((part) => (session === 'warm' ? [] : this.#answer(part)));
    if (replies.includes(undefined)) return;
    const [inbox, number] = request.split('.');
    const reply = JSON.stringify(command === 'together' ? replies : replies[0]);
    void this.#redis.command('PUBLISH', `${this.namespace}:async:${inbox}`, `${number} ${reply}`);
  }
}

function partsOf(message: Heard): Heard[] {
  if (message.command !== 'together') return [message];
  return (JSON.parse(message.payload) as [string, unknown][]).map(([command, payload]) => ({
    command,
    session: message.session,
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  }));
}
