import type { RequestHandler } from 'express';
import type { Session, SessionOptions, Store } from 'express-session';
import { loadPeer } from '../index.ts';
import type { StoreRequest } from './store-request.ts';

/** The package express-session, with what its types leave out. */
export interface ExpressSession {
  (options: SessionOptions): RequestHandler;
  readonly Session: {
    new (request: StoreRequest, data?: object): Session;
    readonly prototype: Session;
  };
  readonly Store: { readonly prototype: Store };
}

/** Loads express-session, which the site brings: its sessions are of this very module. `need`: what needs it.
 *  @throws PeerMissingError */
export function loadExpressSession(need: string): ExpressSession {
  return loadPeer('express-session', need);
}
