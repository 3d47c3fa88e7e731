// @ts-check
import { html } from '../html.js';
import { icon } from '../icon.js';
import { unseenFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromAnalytics, fromView } from '../statistics.js';
import { visitorOf } from '../visitor.js';
import { writeNow } from '../write-now.js';

/** @import { Request, Response } from 'express' */

const LONGEST_NAME = 40;

/** `/login`: asks for a name. @param {Request} request @param {Response} response */
export async function login(request, response) {
  const view = await request.sessionwise.visit();
  await sendLogin(request, response, { statistics: fromView(view) });
}

/** POST `/login`: gives the session another secret, so that whoever knew the old one has nothing, and then to somebody.
 *  In this order: where the second fails, nobody is logged in by a secret of before. Cart and figures stay: it is the same
 *  session. Nothing is saved as "logged in" before both are done.
 *  @param {Request} request @param {Response} response */
export async function logIn(request, response) {
  const given = request.body?.name;
  const name = typeof given === 'string' ? given.normalize('NFC').trim().replace(/\s+/g, ' ') : '';
  const problem = problemWith(name);
  if (problem) {
    const analytics = await request.sessionwise.figures();
    response.status(422);
    return sendLogin(request, response, { statistics: fromAnalytics(analytics), problem, name });
  }
  // Another person gets a session of their own, and not this one's cart.
  if (request.session.name !== undefined && request.session.name !== name) await regenerate(request);
  await request.session.rotate();
  await request.session.identify(name);
  await writeNow(request.session, { name });
  response.redirect(303, '/');
}

/** POST `/logout`: ends the session, with all that is in it. @param {Request} request @param {Response} response */
export async function logOut(request, response) {
  await endSession(request, response);
  response.redirect(303, '/');
}

/** Ends the request's session, and takes its cookie away. @param {Request} request @param {Response} response */
export async function endSession(request, response) {
  const { session } = request;
  await new Promise((resolve, reject) => session.destroy((error) => (error ? reject(error) : resolve(undefined))));
  response.clearCookie(request.app.locals.cookieName);
}

/** @param {Request} request */
async function regenerate({ session }) {
  await new Promise((resolve, reject) => session.regenerate((error) => (error ? reject(error) : resolve(undefined))));
}

/** @param {string} name @returns {string | undefined} */
function problemWith(name) {
  if (name === '') return 'Please tell us a name.';
  if ([...name].length > LONGEST_NAME) return `A name has at most ${LONGEST_NAME} characters here.`;
  if (/\p{C}/u.test(name)) return 'There is a character in this name that nobody can see.';
  return undefined;
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {{ statistics: import('../statistics.js').Statistics | undefined, problem?: string, name?: string }} page
 */
async function sendLogin(request, response, { statistics, problem, name }) {
  const unseen = await unseenFor(request.sessionwise);
  const visitor = visitorOf(request);
  const main = html`
    <div class="lead">
      <h1>${visitor.name === undefined ? 'Log in' : 'You are logged in'}</h1>
      <p>${
        visitor.away
          ? 'Nobody can log in right now. Please try again in a moment.'
          : visitor.name === undefined
            ? 'Your cart comes with you, and you see on which devices you are logged in.'
            : html`As <bdi>${visitor.name}</bdi>.`
      }</p>
    </div>
    ${!visitor.away && (visitor.name === undefined ? form(problem, name) : loggedIn())}`;
  sendPage(request, response, { title: 'Log in', current: '/login', unseen, statistics, main });
}

/** @param {string | undefined} problem @param {string | undefined} name */
function form(problem, name) {
  return html`<form class="sheet" method="post" action="/login">
      <label for="name">Your name</label>
      <input id="name" name="name" value="${name}" required maxlength="${LONGEST_NAME}" autocomplete="username" autocapitalize="words" spellcheck="false" aria-describedby="${problem ? 'problem hint' : 'hint'}"${problem && html` aria-invalid="true" autofocus`}>
      ${problem && html`<p id="problem" class="wrong" role="alert">${problem}</p>`}
      <p id="hint" class="hint">No password: this shop is a demonstration, and anybody can be anybody in it.</p>
      <p class="actions"><button class="button">Log in</button></p>
    </form>`;
}

function loggedIn() {
  return html`<div class="buttons">
      <a class="button" href="/devices">${icon('screen')} Your devices</a>
      <form method="post" action="/logout"><button class="button quiet">Log out</button></form>
    </div>`;
}
