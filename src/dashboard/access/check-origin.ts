import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { RequestRefusedError } from '../request-refused-error.ts';
import type { Access } from './access.ts';
import { nameOfHost } from './host-names.ts';

/** Refuses a request that another site has made a browser send.
 *  @throws RequestRefusedError */
export function checkOrigin({ headers, method }: IncomingMessage, access: Access): void {
  checkHost(headers.host, access);
  const site = headers['sec-fetch-site'];
  const isOwn = site === 'same-origin' || site === 'none';
  if (method === 'GET' || method === 'HEAD') {
    // A link from elsewhere may lead here; data, scripts and streams are for our own pages.
    if (site === undefined || isOwn || headers['sec-fetch-mode'] === 'navigate') return;
    throw new RequestRefusedError(403, 'Another site asked for this: open the dashboard itself.');
  }
  // Browsers send one of the two with each POST. A request without either is no browser's, and needs the token as any other.
  const { origin } = headers;
  if (site !== undefined ? site !== 'same-origin' : origin !== undefined && hostOfOrigin(origin) !== headers.host) {
    throw new RequestRefusedError(403, 'Another site sent this: act on the dashboard itself.');
  }
}

function checkHost(host: string | undefined, { hostNames, acceptsNumericHosts }: Access): void {
  if (hostNames === undefined) return;
  const name = nameOfHost(host);
  if (name !== undefined && (hostNames.has(name) || (acceptsNumericHosts && isIP(name) > 0))) return;
  throw new RequestRefusedError(
    403,
    'The dashboard is not known by this name: open it by the address that it printed, or give the name with --host-name.',
  );
}

function hostOfOrigin(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
