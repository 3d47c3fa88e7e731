// @ts-check
import { randomBytes } from 'node:crypto';
import { CUSTOMERS } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { SEVERITY_WORDS } from '../notice-list.js';
import { unseenFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromAnalytics, fromView } from '../statistics.js';
import { visitorOf } from '../visitor.js';

/** @import { Request, Response } from 'express' */
/** @typedef {import('../notices.js').NoticeSeverity} NoticeSeverity
 *  @typedef {{ id: string, to: string, severity: string, title: string, text: string }} Draft */

const LONGEST_TITLE = 80;
const LONGEST_TEXT = 500;
const SHOWN_FOR_MS = 24 * 3600 * 1000;
const WRITTEN_ID = /^written-[\w-]{16}$/;

/** `/write-a-notice`: what the staff would have. Only a demonstration has it, where anybody is the staff.
 *  @param {Request} request @param {Response} response */
export async function writeANotice(request, response) {
  const view = await request.sessionwise.visit();
  const draft = { id: newId(), to: 'customers', severity: 'info', title: '', text: '' };
  await sendForm(request, response, { draft, statistics: fromView(view), isDone: request.query.done === 'yes' });
}

/** POST `/write-a-notice`: publishes it for a day. The form brings the id, so that a form that is sent twice is one notice.
 *  @param {Request} request @param {Response} response */
export async function publishANotice(request, response) {
  const draft = draftOf(request.body);
  const problem = problemWith(draft);
  const refused = async (/** @type {number} */ status, /** @type {string} */ words) => {
    const statistics = fromAnalytics(await request.sessionwise.figures());
    response.status(status);
    await sendForm(request, response, { draft, statistics, problem: words });
  };
  if (problem) return refused(422, problem);
  const to = recipientOf(request, draft);
  if (!to) return refused(422, 'This browser does not want to be known again: choose all customers.');
  const { id, title, text } = draft;
  const severity = /** @type {NoticeSeverity} */ (draft.severity);
  try {
    const expiresAt = Date.now() + SHOWN_FOR_MS;
    await request.app.locals.notices.publish({ id, to, title, text, severity, expiresAt });
  } catch (error) {
    if (/** @type {any} */ (error)?.code !== 'NOT_ACKNOWLEDGED') throw error;
    return refused(503, 'It could not be sent right now. Please try again in a moment.');
  }
  response.redirect(303, '/write-a-notice?done=yes');
}

function newId() {
  return `written-${randomBytes(12).toString('base64url')}`;
}

/** @param {any} body @returns {Draft} */
function draftOf(body) {
  const text = (/** @type {string} */ name) =>
    typeof body?.[name] === 'string' ? body[name].normalize('NFC').trim() : '';
  const id = text('id');
  return {
    id: WRITTEN_ID.test(id) ? id : newId(),
    to: text('to') === 'me' ? 'me' : 'customers',
    severity: Object.hasOwn(SEVERITY_WORDS, text('severity')) ? text('severity') : 'info',
    title: text('title').replace(/\s+/g, ' '),
    text: text('text').replace(/\r\n?/g, '\n'),
  };
}

/** @param {Draft} draft @returns {string | undefined} */
function problemWith({ title, text }) {
  if (title === '' || text === '') return 'Please give it a title and a text.';
  if ([...title].length > LONGEST_TITLE) return `A title has at most ${LONGEST_TITLE} characters here.`;
  if ([...text].length > LONGEST_TEXT) return `A text has at most ${LONGEST_TEXT} characters here.`;
  if (/[^\P{C}\n]/u.test(title + text)) return 'There is a character in it that nobody can see.';
  return undefined;
}

/** All customers; or the person who is logged in, on each of their devices; or this browser. Undefined for a browser that
 *  is not to be known again. @param {Request} request @param {Draft} draft */
function recipientOf(request, { to }) {
  if (to === 'customers') return { group: CUSTOMERS };
  const { name } = visitorOf(request);
  if (name !== undefined) return { person: name };
  const { id } = request.sessionwise;
  return id === undefined ? undefined : { session: id };
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {{ draft: Draft, statistics: import('../statistics.js').Statistics | undefined, problem?: string, isDone?: boolean }} page
 */
async function sendForm(request, response, { draft, statistics, problem, isDone = false }) {
  const unseen = await unseenFor(request.sessionwise);
  const { name } = visitorOf(request);
  const main = html`
    <div class="lead">
      <h1>Write a notice</h1>
      <p>In a real shop only the staff could. This one is a demonstration, so anybody can, and all visitors see
        what is written for all customers. It is gone after a day.</p>
    </div>
    ${isDone && html`<p class="greeting" role="status" data-written>${icon('check')}<span>It is out. Have a look at the bell, here and in your other windows.</span></p>`}
    <form class="sheet" method="post" action="/write-a-notice">
      <input type="hidden" name="id" value="${draft.id}">
      ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
      ${choice('For whom', 'to', { customers: 'All customers', me: name === undefined ? 'Only me, in this browser' : 'Only me, wherever I am logged in' }, draft.to)}
      ${choice('What it is', 'severity', SEVERITY_WORDS, draft.severity)}
      <label for="title">Title</label>
      <input id="title" name="title" value="${draft.title}" required maxlength="${LONGEST_TITLE}" autocomplete="off">
      <label for="text">Text</label>
      <textarea id="text" name="text" rows="4" required maxlength="${LONGEST_TEXT}">
${draft.text}</textarea>
      <p class="actions"><button class="button">Send it</button></p>
    </form>`;
  sendPage(request, response, { title: 'Write a notice', current: '/write-a-notice', unseen, statistics, main });
}

/** @param {string} legend @param {string} name @param {Record<string, string>} options @param {string} chosen */
function choice(legend, name, options, chosen) {
  return html`<fieldset><legend>${legend}</legend>${Object.entries(options).map(
    ([value, words]) =>
      html`<label class="option"><input type="radio" name="${name}" value="${value}"${value === chosen && html` checked`}> ${words}</label>`,
  )}</fieldset>`;
}
