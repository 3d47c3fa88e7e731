import { isSession } from '../protocol/index.ts';

const MOST_REMEMBERED = 10_000;
const UNREAD_MS = 60_000;

/** Remembers tokens of this process's requests, as far as later requests depend on them. Each memory holds the last
 *  10,000. */
export class TokenMemory {
  readonly #replaced = new RecentMap<true>();
  readonly #detached = new RecentMap<true>();
  readonly #replacedSecrets = new RecentMap<true>();
  readonly #carried = new RecentMap<true>();
  /** By token, the time at which its session could not be read. */
  readonly #unreadAt = new RecentMap<number>();

  /** Notes whether a read has found the token to be replaced by a rotation. */
  noteReplaced(token: string, isReplaced: boolean): void {
    if (isReplaced) this.#replaced.set(token, true);
    else this.#replaced.delete(token);
  }

  /** Notes whether the token belongs to values that stand in for a session whose secret was replaced. */
  noteStandIn(token: string, isStandIn: boolean): void {
    if (isStandIn) this.#detached.set(token, true);
    else this.#detached.delete(token);
  }

  isStandIn(token: string): boolean {
    return this.#detached.has(token);
  }

  /** Whether a read has found this token to be replaced, or it is one of a stand-in. */
  isReplaced(token: string): boolean {
    return this.#replaced.has(token) || this.#detached.has(token);
  }

  /** Notes the hash of a secret that this process has replaced. */
  noteReplacedSecret(hash: Buffer): void {
    this.#replacedSecrets.set(hash.toString('latin1'), true);
  }

  isReplacedSecret(hash: Buffer): boolean {
    return this.#replacedSecrets.has(hash.toString('latin1'));
  }

  /** Notes that a request carries this as its session's token. Only those of the form of a public id count: they are
   *  never taken for one then. */
  noteCarried(token: string | undefined): void {
    if (isPublicForm(token)) this.#carried.set(token, true);
  }

  /** Whether a text can be a public id: it has the form of one, and no request carries it as its token. */
  mayBePublicId(id: string): boolean {
    return isPublicForm(id) && !this.#carried.has(id);
  }

  /** Notes whether the last read of a token's session has failed. */
  noteUnread(token: string, isUnread: boolean): void {
    if (isUnread) this.#unreadAt.set(token, performance.now());
    else this.#unreadAt.delete(token);
  }

  /** Whether the last read of a token's session has failed, less than a minute ago. */
  isUnread(token: string): boolean {
    const failedAt = this.#unreadAt.get(token);
    return failedAt !== undefined && performance.now() - failedAt < UNREAD_MS;
  }
}

/** A map that forgets the oldest entry when it is full. */
class RecentMap<Value> {
  readonly #entries = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > MOST_REMEMBERED) this.#entries.delete(this.#entries.keys().next().value!);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

function isPublicForm(id: string | undefined): id is string {
  return typeof id === 'string' && isSession(id);
}
