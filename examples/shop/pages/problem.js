// @ts-check
import { html } from '../html.js';
import { icon } from '../layout.js';
import { sendPage } from '../respond.js';
import { fromAnalytics } from '../statistics.js';

/** @import { NextFunction, Request, Response } from 'express' */

/** What nobody sells here. @param {Request} request @param {Response} response */
export async function notFound(request, response) {
  await sendProblem(request, response, 404, 'There is nothing here', 'This shelf is empty: perhaps it was moved.');
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
  const status = Number.isInteger(error?.status) && error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) request.app.locals.log(`A page failed: ${error?.stack ?? error}`);
  const [title, words] =
    status === 500
      ? ['That went wrong', 'It was our fault, not yours. Please try again.']
      : ['We cannot read this', 'Something in the address is not as it should be.'];
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
  const analytics = await request.sessionwise?.analytics();
  const main = html`
    <div class="problem">
      ${icon('box', 'icon big')}
      <p class="eyebrow">${status}</p>
      <h1>${title}</h1>
      <p>${words}</p>
      <p class="actions"><a class="button" href="/">Back to the shop</a></p>
    </div>`;
  response.status(status);
  sendPage(request, response, { title, statistics: fromAnalytics(analytics), main });
}
