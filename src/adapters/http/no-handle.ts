import { SessionHandle } from '../../client/index.ts';

/** The requests of a page that has no visitor. */
const NOTHING = {
  session: undefined,
  leftMs: 0,
  request: () => Promise.resolve(undefined),
  publish: () => Promise.resolve(false),
};

/** Makes the handle of a request without a visitor: nothing is sent, every question answers `undefined`. */
export function noHandle(): SessionHandle {
  return new SessionHandle(NOTHING as never);
}
