import type { IncomingMessage } from 'node:http';

/** A request of Express, or of anything else that express-session takes. */
export type StoreRequest = IncomingMessage & { session?: object; sessionID?: string | undefined };
