import { recordOf, type SessionData, StoreUnavailableError } from '../sessions/index.ts';
import type { TokenMemory } from './token-memory.ts';

/** Ids as callers of a store give them: tokens, or public ids from a list of all sessions. */
export class SessionIds {
  readonly #data: SessionData;
  readonly #tokens: TokenMemory;

  constructor(data: SessionData, tokens: TokenMemory) {
    this.#data = data;
    this.#tokens = tokens;
  }

  /** Ends a session. Returns true where something lived until now, or was named by its public id.
   *  @throws StoreUnavailableError, also where the session was not read a moment ago. */
  async end(id: string): Promise<boolean> {
    if (this.#tokens.isUnread(id)) {
      throw new StoreUnavailableError('The session could not be read, so it was not ended.');
    }
    // A framework's own tokens can have the form of a public id, so that is the second thing to try.
    if (await this.#data.end(id)) return true;
    if (!this.#tokens.mayBePublicId(id)) return false;
    await this.#data.end({ session: id });
    return true;
  }

  /** Whether the secret of a token was replaced by a rotation.
   *  @throws StoreUnavailableError */
  async isReplaced(token: string): Promise<boolean> {
    if (this.#tokens.isStandIn(token)) return true;
    const found = await this.#data.find(token);
    return found === 'replaced' || (found !== undefined && recordOf(found).byPreviousSecret);
  }

  /** Refuses the public id of a living session where a token is needed.
   *  @throws RangeError; StoreUnavailableError */
  async refusePublicId(id: string): Promise<void> {
    if (!this.#tokens.mayBePublicId(id) || !(await this.#data.isLiving(id))) return;
    throw new RangeError(
      'This is the public id of a session, and no token: nothing was written. Change its fields by store.data, which takes { session }: increment, append, setIf.',
    );
  }
}
