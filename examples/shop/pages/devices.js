// @ts-check
import { ago } from '../ago.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { unseenFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';
import { visitorOf } from '../visitor.js';
import { endSession } from './login.js';

/** @import { Request, Response } from 'express' */
/** @typedef {Awaited<ReturnType<import('sessionwise/express').SessionStore['data']['sessionsOf']>>[number]} UserSession */

/** `/devices`: where somebody is logged in. @param {Request} request @param {Response} response */
export async function devices(request, response) {
  const { name, away } = visitorOf(request);
  if (name === undefined && !away) return response.redirect(303, '/login');
  const handle = request.sessionwise;
  const [view, unseen, sessions] = await Promise.all([handle.visit(), unseenFor(handle), sessionsFor(request, name)]);
  const main = html`
    <div class="lead">
      <h1>Your devices</h1>
      <p>${
        sessions
          ? html`Here you are logged in as <bdi>${name}</bdi>. What you do not know, log out.`
          : 'Where you are logged in nobody can tell right now. Please try again in a moment.'
      }</p>
    </div>
    ${endedNote(request.query.ended)}
    ${sessions && list(request, sessions)}`;
  sendPage(request, response, {
    title: 'Your devices',
    current: '/devices',
    unseen,
    statistics: fromView(view),
    main,
  });
}

/** POST `/devices/end`: logs one of the visitor's own devices out. Nobody else's can be named here: the store looks whose
 *  it is. @param {Request} request @param {Response} response */
export async function endDevice(request, response) {
  const { name } = request.session;
  if (name === undefined) return response.redirect(303, '/login');
  const session = String(request.body?.session);
  if (session === request.session.info()?.session) {
    await endSession(request, response);
    return response.redirect(303, '/');
  }
  const ended = await request.app.locals.store.data.endSession(name, session);
  response.redirect(303, `/devices?ended=${ended ? 1 : 0}`);
}

/** POST `/devices/end-others`: logs all but this one out. @param {Request} request @param {Response} response */
export async function endOtherDevices(request, response) {
  const { name } = request.session;
  const own = request.session.info()?.session;
  if (name === undefined || own === undefined) return response.redirect(303, '/login');
  const ended = await request.app.locals.store.data.endSessionsOf(name, { keep: own });
  response.redirect(303, `/devices?ended=${ended}`);
}

/** POST `/devices/end-all`: logs this one out too. @param {Request} request @param {Response} response */
export async function endAllDevices(request, response) {
  const { name } = request.session;
  if (name === undefined) return response.redirect(303, '/login');
  await request.app.locals.store.data.endSessionsOf(name);
  await endSession(request, response);
  response.redirect(303, '/');
}

/** Undefined where nobody can tell. @param {Request} request @param {string | undefined} name
 *  @returns {Promise<UserSession[] | undefined>} */
async function sessionsFor(request, name) {
  if (name === undefined) return undefined;
  try {
    return await request.app.locals.store.data.sessionsOf(name);
  } catch (error) {
    if (/** @type {any} */ (error)?.code !== 'STORE_UNAVAILABLE') throw error;
    return undefined;
  }
}

/** @param {unknown} ended */
function endedNote(ended) {
  if (typeof ended !== 'string' || !/^\d{1,5}$/.test(ended)) return undefined;
  const count = Number(ended);
  return html`<p class="greeting" data-ended="${count}" role="status">${icon('check')}<span>${
    count === 0
      ? 'No other device had to be logged out.'
      : count === 1
        ? 'One device was logged out.'
        : `${count} devices were logged out.`
  }</span></p>`;
}

/** @param {Request} request @param {UserSession[]} sessions */
function list(request, sessions) {
  const now = request.app.locals.store.data.now();
  const own = request.session.info()?.session;
  return html`<ul class="devices">${sessions.map((session) => device(session, session.session === own, now))}
    </ul>
    <div class="buttons">
      ${sessions.length > 1 && html`<form method="post" action="/devices/end-others"><button class="button">Log out everywhere else</button></form>`}
      <form method="post" action="/devices/end-all"><button class="button quiet">Log out everywhere</button></form>
    </div>`;
}

/** @param {UserSession} session @param {boolean} isThis @param {number} now */
function device({ session, device: label = 'Unknown device', firstSeenAt, lastSeenAt }, isThis, now) {
  return html`
      <li class="device" data-device="${session}"${isThis && html` data-this-device`}>
        ${icon('screen')}
        <div>
          <h2><bdi>${label}</bdi>${isThis && html` <span class="badge">this device</span>`}</h2>
          <p>First seen ${time(firstSeenAt, now)}, last seen ${isThis ? 'now' : time(lastSeenAt, now)}</p>
        </div>
        ${
          isThis
            ? html`<form method="post" action="/logout"><button class="button quiet" aria-label="Log out: this device">Log out</button></form>`
            : html`<form method="post" action="/devices/end"><input type="hidden" name="session" value="${session}"><button class="button quiet" aria-label="Log out: ${label}">Log out</button></form>`
        }
      </li>`;
}

/** @param {number} at @param {number} now */
function time(at, now) {
  return html`<time datetime="${new Date(at).toISOString()}">${ago(at, now)}</time>`;
}
