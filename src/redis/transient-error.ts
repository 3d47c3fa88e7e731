import { SessionwiseError } from '../protocol/index.ts';

/* Errors of a Redis that is starting, full, busy, failing over, or not the node that holds the key. A code stands in front
 * or, where a script of Redis 6 met it, behind other words and a hyphen; the name of a key may hold the same letters. */
const TRANSIENT =
  /(^|[\s-])(LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|MOVED|ASK|NOAUTH|UNBLOCKED)\s/;
const DRIVER = /^(Socket|Client|Disconnects|Connection|Reconnect)\w*Error$/;

/** Whether an error is about the state of Redis or of the connection and not about the command: the same command may succeed
 *  later. It may have been executed. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'REDIS_NOT_READY' || code === 'REDIS_UNAVAILABLE') return true;
  // The others quote what they were given.
  if (error instanceof SessionwiseError) return false;
  if (typeof code === 'string' && /^E(CONN|PIPE|TIMEDOUT|HOST|NET)/.test(code)) return true;
  return DRIVER.test(error.constructor.name) || TRANSIENT.test(error.message);
}
