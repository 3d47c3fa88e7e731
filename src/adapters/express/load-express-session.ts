import type { RequestHandler } from 'express';
import type session from 'express-session';
import { loadPeer } from '../index.ts';
import type { StoreRequest } from './store-request.ts';

/** The package express-session, with what its types leave out. */
export interface ExpressSession {
  (options: session.SessionOptions): RequestHandler;
  readonly Session: {
    new (request: StoreRequest, data?: object): session.Session;
    readonly prototype: session.Session;
  };
  readonly Store: { readonly prototype: session.Store };
}

/** Loads express-session, which the site brings: its sessions are of this very module. `need`: what needs it.
 *  @throws PeerMissingError */
export function loadExpressSession(need: string): ExpressSession {
  return loadPeer('express-session', need);
}
