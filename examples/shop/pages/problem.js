// @ts-check
import { html } from '../html.js';
import { icon } from '../icon.js';
import { unseenFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromAnalytics } from '../statistics.js';

/** @import { NextFunction, Request, Response } from 'express' */

/** What nobody sells here. @param {Request} request @param {Response} response */
export async function notFound(request, response) {
  await sendProblem(request, response, 404, 'There is nothing here', 'This shelf is empty: perhaps it was moved.');
}

/** @type {Record<number, [string, string]>} */
const WORDS = {
  403: ['Not from here', 'This form was sent by another site, so nothing was done. Please use the one in our shop.'],
  409: [
    'Your session has ended',
    'Perhaps you have logged in or out meanwhile. Nothing was changed: please try again.',
  ],
  429: ['One moment, please', 'So many have been written just now. Please try again in a minute.'],
  500: ['That went wrong', 'It was our fault, not yours. Please try again.'],
  503: ['Not right now', 'Cart and login are taking a short break. Nothing is lost: please try again in a moment.'],
};

/** What the error itself says (the store's says 503 where Redis is away), if it is none of our own faults.
 *  @param {any} error */
function statusOf(error) {
  const status = error?.status;
  return Number.isInteger(status) && ((status >= 400 && status < 500) || status === 503) ? status : 500;
}

/**
 * What went wrong: a bad address, or our own fault.
 * @param {any} error
 * @param {Request} request
 * @param {Response} response
 * @param {NextFunction} next
 */
export async function failure(error, request, response, next) {
  if (response.headersSent) return next(error);
  const status = statusOf(error);
  if (status === 500) request.app.locals.log(`A page failed: ${error?.stack ?? error}`);
  if (status === 503) response.set('Retry-After', '5');
  const [title, words] = WORDS[status] ?? ['We cannot read this', 'Something in what you sent is not as it should be.'];
  await sendProblem(request, response, status, title, words);
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {number} status
 * @param {string} title
 * @param {string} words
 */
async function sendProblem(request, response, status, title, words) {
  // A problem is no page that somebody wanted to see: it is not counted.
  const handle = request.sessionwise;
  const [analytics, unseen] = await Promise.all([handle?.figures(), unseenFor(handle)]);
  const main = html`
    <div class="problem">
      ${icon('box', 'icon big')}
      <p class="eyebrow">${status}</p>
      <h1>${title}</h1>
      <p>${words}</p>
      <p class="actions"><a class="button" href="/">Back to the shop</a></p>
    </div>`;
  response.status(status);
  sendPage(request, response, { title, unseen, statistics: fromAnalytics(analytics), main });
}
