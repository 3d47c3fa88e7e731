// @ts-check

/** @import { RequestHandler } from 'express' */

/** Lets so many requests through in each window, of all visitors together; the others get 429.
 *  @param {{ most: number, windowMs: number }} limit @returns {RequestHandler} */
export function rateLimit({ most, windowMs }) {
  let count = 0;
  let endsAt = 0;
  return (_request, response, next) => {
    const now = Date.now();
    if (now >= endsAt) [count, endsAt] = [0, now + windowMs];
    count += 1;
    if (count <= most) return next();
    response.set('Retry-After', String(Math.ceil((endsAt - now) / 1_000)));
    next(Object.assign(new Error('Too many at once.'), { status: 429 }));
  };
}
