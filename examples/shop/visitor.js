// @ts-check
import { cartOf } from './cart.js';

/** @import { NextFunction, Request, Response } from 'express' */

/** What the layout shows of who is here.
 *  @typedef {object} Visitor
 *  @property {string | undefined} name Undefined where nobody is logged in, or nobody can tell.
 *  @property {number} items How many things are in the cart.
 *  @property {boolean} away Whether session data cannot be had: then name and cart are unknown. */

/** @param {Request} request @returns {Visitor} */
export function visitorOf(request) {
  const { session } = request;
  const away = isAway(request);
  return {
    name: away ? undefined : session?.name,
    items: cartOf(session).reduce((sum, { count }) => sum + count, 0),
    away,
  };
}

/** Whether this request has no session data. Of a session that was read it goes on what was read, though Redis may
 *  refuse writes: a form that tries finds that out, and finds out when they are taken again. Where there was nothing to
 *  be read, the store is asked. @param {Request} request */
function isAway({ session, app }) {
  return !session || session.isDegraded() || (session.info() === undefined && !app.locals.store.data.isUp);
}

/** Lets only requests through whose session can be read: what they ask for cannot be done without.
 *  @param {Request} request @param {Response} _response @param {NextFunction} next */
export function needsSession(request, _response, next) {
  next(isAway(request) ? Object.assign(new Error('No session data now.'), { status: 503 }) : undefined);
}
