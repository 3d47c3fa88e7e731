export type { PageviewMode, SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise, tokenOf } from './session-middleware.ts';
