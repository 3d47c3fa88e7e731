// @ts-check

/** @import { NextFunction, Request, Response } from 'express' */

/** Lets only forms of our own pages through. `SameSite=Lax` keeps the cookie from foreign ones already; this also covers
 *  our neighbours on the same site. The Host header is not asked: behind a name of its own that leads here (DNS
 *  rebinding) a foreign page names itself in both headers. A request with neither header comes from no browser, and
 *  carries no cookie of anybody else.
 *  @param {Request} request @param {Response} _response @param {NextFunction} next */
export function sameOrigin(request, _response, next) {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const isBrowser = origin !== undefined || site !== undefined;
  const isOurs = (site === undefined || site === 'same-origin') && ownOrigins(request).includes(origin ?? '');
  next(isBrowser && !isOurs ? Object.assign(new Error('A form of another site.'), { status: 403 }) : undefined);
}

/** Where a browser has our pages from: the origin that was configured, else the address that this connection came to.
 *  @param {Request} request */
function ownOrigins({ app, socket }) {
  const { origin, url } = app.locals;
  if (origin !== undefined) return [origin];
  const { localAddress = '', localPort } = socket;
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const names = [address.includes(':') ? `[${address}]` : address];
  if (address === '::1' || address.startsWith('127.')) names.push('localhost');
  // A browser leaves the port of http out.
  return [url, ...names.map((name) => new URL(`http://${name}:${localPort}`).origin)];
}
