// @ts-check

/** @import { NextFunction, Request, Response } from 'express' */

const LONGEST_NAME = 128;

/** POST `/tips/dismiss`: a tip that the visitor does not want; it is not given again.
 *  @param {Request} request @param {Response} response @param {NextFunction} next */
export async function dismissTip(request, response, next) {
  const { rule } = request.body ?? {};
  if (typeof rule !== 'string' || rule === '' || rule.length > LONGEST_NAME) {
    return next(Object.assign(new Error('We give no such tip.'), { status: 400 }));
  }
  // Not acknowledged: it will be there once more, and nobody is told that it was not.
  const isNoted = await request.sessionwise.dismiss(rule);
  if (!isNoted) return next(Object.assign(new Error('Nobody could note it.'), { status: 503 }));
  response.redirect(303, '/confirm-purchase');
}
