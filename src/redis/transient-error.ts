/* What Redis says while it is not what it should be: starting, full, failing over, or another node's. */
const TRANSIENT =
  /\b(LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|MOVED|ASK|NOAUTH|UNBLOCKED)\b/;
const DRIVER = /^(Socket|Client|Disconnects|Connection|Reconnect)\w*Error$/;

/** Whether an error says that Redis cannot be reached or does not do it now, and nothing of what was asked: the same may
 *  succeed later. What was sent may have been done. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'REDIS_NOT_READY' || code === 'REDIS_UNAVAILABLE') return true;
  if (typeof code === 'string' && /^E(CONN|PIPE|TIMEDOUT|HOST|NET)/.test(code)) return true;
  return DRIVER.test(error.constructor.name) || TRANSIENT.test(error.message);
}
