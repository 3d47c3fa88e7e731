import type { ConnectionOptions } from '../options/connection-options.ts';
import { RedisUnavailableError } from '../redis-unavailable-error.ts';

/* connection-failure.ts: classifies and explains the errors of a failed connection. */

/** Whether trying again at once would be useless: Redis refuses the login, or no server listens. `mayMove`: an absent
 *  server may be replaced by another one, so its absence is not final. */
export function isFinal(error: Error, mayMove: boolean): boolean {
  return (
    error instanceof RedisUnavailableError ||
    isRefusal(error) ||
    (isAbsence(error) && !mayMove) ||
    isTlsFailure(error) ||
    knowsNoHello(error)
  );
}

/** Whether Redis refused the name, the password or the database. */
export function isRefusal(error: Error): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR (AUTH|Client sent AUTH|invalid password|DB index))/.test(error.message);
}

/** Makes an error that says what to do about a failed connection. */
export function explainFailure(address: string, usesTls: boolean, error: Error | undefined): RedisUnavailableError {
  if (error instanceof RedisUnavailableError) return error;
  return new RedisUnavailableError(sentence(address, usesTls, error), error && { cause: error });
}

function sentence(address: string, usesTls: boolean, error: Error | undefined): string {
  if (error && isRefusal(error)) {
    // Some of Redis's messages are a paragraph long; the first word is the code.
    const [what] = error.message.startsWith('ERR') ? [error.message] : error.message.split(' ');
    return `Redis at ${address} refused the login or the database (${what}): check user, password and database number.`;
  }
  if (error && knowsNoHello(error)) {
    return `Redis at ${address} is older than version 6: Sessionwise needs 6.2 or newer.`;
  }
  const code = codeOf(error);
  if (error && isTlsFailure(error)) {
    if (/ALERT|CERTIFICATE_REQUIRED/.test(code ?? '')) {
      return `Redis at ${address} wants a certificate of ours, or another one (${code}): give "tls":{"cert":"...","key":"..."}.`;
    }
    return code === 'EPROTO' || /WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(code ?? '')
      ? `Redis at ${address} speaks no TLS there (${code}): write redis:// instead of rediss://, or another port.`
      : `Redis at ${address} has a certificate that is not trusted (${code}): give its CA as "tls":{"ca":"..."}, or the name that it was made for as "servername".`;
  }
  const kind = error?.constructor.name;
  if (!usesTls && (code === 'ECONNRESET' || kind === 'SocketClosedUnexpectedlyError')) {
    return `Redis at ${address} closed the connection: if it wants TLS, write rediss:// instead of redis://.`;
  }
  // Without TLS, Redis takes the first bytes of TLS for the beginning of a command and waits for the rest.
  if (usesTls && (error === undefined || kind === 'ConnectionTimeoutError')) {
    return `Redis at ${address} does not answer: if it speaks no TLS, write redis:// instead of rediss://.`;
  }
  const why = code ?? error?.message ?? 'no answer in time';
  return `Redis at ${address} cannot be reached (${why}): is it running, and is the address right?`;
}

function codeOf(error: Error | undefined): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function isAbsence(error: Error): boolean {
  return ['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EACCES', 'ECONNRESET'].includes(codeOf(error) ?? '');
}

// OpenSSL's codes for certificates, and Node's codes for other failures of TLS.
function isTlsFailure(error: Error): boolean {
  return /^(EPROTO$|ERR_(TLS|SSL)_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY)_)/.test(codeOf(error) ?? '');
}

// Redis 6 introduced HELLO; older servers are not supported.
function knowsNoHello(error: Error): boolean {
  return /^ERR unknown command.*HELLO/i.test(error.message);
}

/** The message for a single server's address that leads to a node of a Cluster. */
export function explainClusterNode(address: string, { path, tls }: ConnectionOptions): string {
  const node = path === undefined ? address : 'host:port';
  return `Redis at ${address} is a node of a Cluster: write ${tls ? 'rediss' : 'redis'}+cluster://${node}, where more nodes may follow, each after a comma.`;
}
