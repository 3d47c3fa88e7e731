/* Errors of a Redis that is starting, full, busy, failing over, or not the node that holds the key. */
const TRANSIENT =
  /\b(LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|BUSY|MOVED|ASK|NOAUTH|UNBLOCKED)\b/;
const DRIVER = /^(Socket|Client|Disconnects|Connection|Reconnect)\w*Error$/;

/** Whether an error is about the state of Redis or of the connection and not about the command: the same command may succeed
 *  later. It may have been executed. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'REDIS_NOT_READY' || code === 'REDIS_UNAVAILABLE') return true;
  if (typeof code === 'string' && /^E(CONN|PIPE|TIMEDOUT|HOST|NET)/.test(code)) return true;
  return DRIVER.test(error.constructor.name) || TRANSIENT.test(error.message);
}
