import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import { CONNECT_REDIS_OPTIONS, SESSION_DATA_OPTIONS, type SessionDataOptions } from '../sessions/index.ts';

/** Options of a framework's session store; only `redis` must be given. */
export interface SessionStoreOptions extends SessionDataOptions {
  /** Answer to a request whose session cannot be read. `closed` (default): the error STORE_UNAVAILABLE. `open`: an
   *  empty session under its own token, whose saves write nothing. In neither is a cookie replaced.
   *
   *  A save that fails at the end of a request of Express comes too late: the answer, 200, is on its way. Wait for
   *  each change that the answer promises: `session.save(callback)` in a store that fails closed, and in both `increment`,
   *  `append`, `setIf`, `identify` and `rotate`, which never fail in silence. */
  readonly fail?: 'closed' | 'open';
  /** How long an anonymous session may rest until its second request, in milliseconds: a new one with no user, into which
   *  the application has put nothing. Most of them are never seen again. Default 1,800,000: half an hour, as long as a
   *  service keeps what it knows of a single view. Never longer than the session's idle time. */
  readonly anonymousIdleMs?: number;
}

/** Options of a store with their defaults, and those of the session data beneath. */
export interface SessionStoreSettings {
  readonly failsOpen: boolean;
  readonly anonymousIdleMs: number;
  readonly dataOptions: SessionDataOptions;
}

const DEFAULT_ANONYMOUS_IDLE_MS = 1_800_000;
/** Forms of a store's options; `any` is checked below. */
export const STORE_OPTIONS: OptionForms<SessionStoreOptions> = {
  ...SESSION_DATA_OPTIONS,
  anonymousIdleMs: 'any',
  fail: '"closed"|"open"',
};

/** Checks a store's options and fills in the defaults.
 *  @throws RangeError that names a value that cannot be used, or proposes the right name of an option. */
export function storeSettingsOf(options: SessionStoreOptions): SessionStoreSettings {
  checkOptions('The session store', options, STORE_OPTIONS, CONNECT_REDIS_OPTIONS);
  const { fail = 'closed', anonymousIdleMs = DEFAULT_ANONYMOUS_IDLE_MS } = options;
  if (!Number.isInteger(anonymousIdleMs) || anonymousIdleMs < 1) {
    throw new RangeError(`anonymousIdleMs ${String(anonymousIdleMs)} cannot be used: give a whole number from 1.`);
  }
  if (fail !== 'closed' && fail !== 'open') {
    throw new RangeError(`fail ${JSON.stringify(fail)} cannot be used: give "closed" or "open".`);
  }
  return { failsOpen: fail === 'open', anonymousIdleMs, dataOptions: dataOptionsOf(options) };
}

/** The options of the session data; by name, because those of a class lie on its prototype. */
function dataOptionsOf(options: SessionStoreOptions): SessionDataOptions {
  const names = Object.keys(SESSION_DATA_OPTIONS) as (keyof SessionDataOptions)[];
  const given = names.map((name) => [name, options[name]] as const).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as SessionDataOptions;
}
