import type { SetIfOutcome } from '../store/index.ts';

/** What is known of a session beside its data. */
export interface SessionInfo {
  /** The public id. */
  readonly session: string;
  /** Whom `identify` gave it to. */
  readonly userId: string | undefined;
  /** When it was first saved, in milliseconds of the epoch, as all times here. */
  readonly createdAt: number;
  /** When it was last written or renewed; up to `touchEveryMs` behind the last request. */
  readonly lastSeenAt: number;
  /** When it ends unless it is used. */
  readonly expiresAt: number;
  /** How often its data were changed; what `setIf` takes. */
  readonly version: number;
  /** Whether the request came with the previous secret, which `rotate` has replaced. */
  readonly byPreviousSecret: boolean;
}

/** What `request.session` can do with a SessionStore, beside what express-session gives it. */
export interface SessionMethods {
  /** See `SessionStore.rotate`. */
  rotate(): Promise<boolean>;
  /** See `SessionStore.identify`. */
  identify(userId: string, options?: { readonly device?: string }): Promise<string[]>;
  /** See `SessionStore.increment`. */
  increment(field: string, by?: number): Promise<number>;
  /** See `SessionStore.append`. */
  append(field: string, ...values: unknown[]): Promise<unknown[]>;
  /** See `SessionStore.setIf`. */
  setIf(version: number, values: Readonly<Record<string, unknown>>): Promise<SetIfOutcome>;
  /** See `SessionStore.info`. */
  info(): SessionInfo | undefined;
  /** See `SessionStore.isDegraded`. */
  isDegraded(): boolean;
}

declare module 'express-session' {
  interface Session extends SessionMethods {}
}
