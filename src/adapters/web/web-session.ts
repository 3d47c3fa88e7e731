import type { SessionOperations } from '../session-operations.ts';

/** How the session of a request is saved, replaced and ended, in frameworks without sessions of their own. */
export interface SessionLifecycle {
  /** Saves the changes now. At the end of the request they are saved in any case, before the head of the answer is written:
   *  call it before you write to the connection yourself, and where the answer promises the change.
   *  @throws StoreUnavailableError in a store that fails closed; NotSerialisableError. */
  save(): Promise<void>;
  /** Ends this session and begins another one, with nothing in it; the request has another object as its session then.
   *  @throws StoreUnavailableError; TypeError where the head of the answer was written. */
  regenerate(): Promise<void>;
  /** Ends this session for good and removes its cookie; the request has no session then.
   *  @throws StoreUnavailableError; SessionGoneError where the token was replaced. */
  destroy(): Promise<void>;
}

/** The session of a request: the fields of the site, and the operations. `Fields`: what the site keeps in its sessions. */
export type WebSession<Fields = Record<string, unknown>> = Fields & SessionOperations<Fields> & SessionLifecycle;
