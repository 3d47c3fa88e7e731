import type { SubjectContext } from './subject-sessions.ts';

const KEPT_MS = 30 * 86_400_000;
const AT_ONCE = 1_000;

/** The sessions of users whose erasure has begun and is not done. */
export class BegunErasures {
  readonly #context: SubjectContext;

  constructor(context: SubjectContext) {
    this.#context = context;
  }

  /** Lists them. `user`: a `userReference`. */
  read(user: string): Promise<string[]> {
    return this.#send(user, 'ZRANGE', '0', '-1');
  }

  /** Adds sessions, for 30 days. */
  async add(user: string, sessions: readonly string[]): Promise<void> {
    for (let at = 0; at < sessions.length; at += AT_ONCE) {
      await this.#send(user, 'ZADD', ...sessions.slice(at, at + AT_ONCE).flatMap((session) => ['0', session]));
      await this.#send(user, 'PEXPIREAT', String(Date.now() + KEPT_MS));
    }
  }

  /** Removes a session. */
  async remove(user: string, session: string): Promise<void> {
    await this.#send(user, 'ZREM', session);
  }

  /** Forgets a user's erasure, which is done. */
  async clear(user: string): Promise<void> {
    await this.#send(user, 'UNLINK');
  }

  #send<Reply>(user: string, name: string, ...args: string[]): Promise<Reply> {
    const key = this.#context.keys.erasing(user);
    return this.#context.step(key, (redis) => redis.command<Reply>(name, key, ...args));
  }
}
