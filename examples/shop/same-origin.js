// @ts-check

/** @import { NextFunction, Request, Response } from 'express' */

/** Lets only forms of our own pages through. `SameSite=Lax` keeps the cookie from foreign ones already; this also covers
 *  our neighbours on the same site. Who sends neither header is no browser, and carries nobody's cookie unasked.
 *  @param {Request} request @param {Response} _response @param {NextFunction} next */
export function sameOrigin(request, _response, next) {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  const isOurs = (site === undefined || site === 'same-origin') && (origin === undefined || hostOf(origin) === host);
  next(isOurs ? undefined : Object.assign(new Error('A form of another site.'), { status: 403 }));
}

/** @param {string} origin */
function hostOf(origin) {
  return URL.canParse(origin) ? new URL(origin).host : '';
}
