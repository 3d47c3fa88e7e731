/* frame.js: what all pages of the dashboard share: live data, actions, theme. A page's own script is `<view>.js`, which
 * exports `render(root, data, tools)` and is called with each new data. */

import { chart } from './chart.js';
import { h, keep, show } from './dom.js';

/** What a page is given to work with.
 *  @typedef {object} Tools
 *  @property {typeof h} h makes an element
 *  @property {typeof show} show brings what is shown in line with elements that were made
 *  @property {typeof keep} keep leaves an element's content to its maker
 *  @property {typeof chart} chart lines over time
 *  @property {(action: string, input?: unknown) => Promise<any>} act does an action of this view; throws an Error whose message was shown
 *  @property {(query?: Record<string, string> | string) => void} follow reads with another query from now on, which the address keeps
 *  @property {() => URLSearchParams} query the query that is followed
 *  @property {(text: string) => void} announce says a text, to be seen and heard
 *  @property {(question: string, verb: string) => Promise<boolean>} confirm asks before something that cannot be undone
 *  @property {() => void} redraw draws the page once more, with the newest data: while an action was under way others may have
 *    come
 *  @property {(role: 'viewer' | 'editor' | 'operator') => boolean} may whether this person may do what needs a role */

const { view = '', role = 'viewer', readOnly } = document.body.dataset;
const ROLES = ['viewer', 'editor', 'operator'];
const RETRY_MS = 2000;
const SHOWN_MS = 8000;

const root = /** @type {HTMLElement} */ (document.getElementById('root'));
const state = /** @type {HTMLElement} */ (document.getElementById('state'));
const trouble = /** @type {HTMLElement} */ (document.getElementById('trouble'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announce'));

let csrf = document.body.dataset.csrf ?? '';
let query = new URLSearchParams(location.search);
/** @type {EventSource | undefined} */
let source;
/** @type {number | undefined} */
let retry;
/** @type {unknown} */
let data;
let hasData = false;

/** @type {Tools} */
const tools = {
  h,
  show,
  keep,
  chart,
  act,
  follow(next = '') {
    query = new URLSearchParams(next);
    const search = query.toString();
    history.pushState(null, '', search === '' ? view : `${view}?${search}`);
    open();
  },
  query: () => new URLSearchParams(query),
  redraw: draw,
  announce,
  confirm,
  may: (needed) => readOnly !== 'true' && ROLES.indexOf(role) >= ROLES.indexOf(needed),
};

const { render } = await import(`./${view}.js`);
addEventListener('popstate', () => {
  query = new URLSearchParams(location.search);
  open();
});
// Nobody looks at a hidden page, and each stream is read for.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) close();
  else open();
});
addEventListener('pagehide', close);
prepareTheme();
prepareLeaving();
open();

function open() {
  close();
  const search = query.toString();
  source = new EventSource(search === '' ? `${view}/events` : `${view}/events?${search}`);
  source.onmessage = ({ data: text }) => {
    data = JSON.parse(text);
    hasData = true;
    sayTrouble('');
    say('Live');
    draw();
  };
  source.addEventListener('trouble', (event) => {
    sayTrouble(JSON.parse(/** @type {MessageEvent} */ (event).data).message);
    say(hasData ? 'Older data' : 'No data');
  });
  // Who may look is decided by each request: this one is too old to tell.
  source.addEventListener('again', open);
  source.onerror = () => {
    say('Connecting');
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    retry = window.setTimeout(() => void look(), RETRY_MS);
  };
}

function close() {
  window.clearTimeout(retry);
  source?.close();
  source = undefined;
}

// A stream was refused: an EventSource does not say why.
async function look() {
  try {
    const response = await fetch('session', { headers: { accept: 'application/json' } });
    if (response.status === 401 || response.status === 403) {
      location.reload();
      return;
    }
    if (response.ok) csrf = (await response.json()).csrf;
    const probe = await fetch(`${view}/data?${query}`);
    if (!probe.ok) sayTrouble((await probe.json()).error.message);
  } catch {
    sayTrouble('The dashboard does not answer; trying again.');
  }
  open();
}

function draw() {
  try {
    render(root, data, tools);
  } catch (error) {
    sayTrouble(`The page could not be drawn: ${error instanceof Error ? error.message : error}`);
    throw error;
  }
}

/** @param {string} action @param {unknown} [input] */
async function act(action, input = {}) {
  try {
    const { done } = await post(`${view}/${action}`, input);
    sayTrouble('');
    return done;
  } catch (error) {
    sayTrouble(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** @param {string} address @param {unknown} body @param {boolean} [isAgain] @returns {Promise<any>} */
async function post(address, body, isAgain = false) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error('The dashboard does not answer: nothing may have been done.');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (answer.error?.remedy === 'csrf' && !isAgain) {
    // The server was started anew meanwhile.
    csrf = (await (await fetch('session')).json()).csrf ?? '';
    return post(address, body, true);
  }
  if (answer.error?.remedy === 'login') location.reload();
  throw new Error(answer.error?.message ?? `The dashboard answered ${response.status}.`);
}

/** @param {string} text */
function say(text) {
  if (state.textContent !== text) state.textContent = text;
  state.dataset.state = text;
}

/** @param {string} text */
function sayTrouble(text) {
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = text === '';
}

/** @type {number | undefined} */
let announced;
/** @param {string} text */
function announce(text) {
  window.clearTimeout(announced);
  announcer.textContent = text;
  announcer.className = 'toast';
  announced = window.setTimeout(() => {
    announcer.textContent = '';
    announcer.className = 'hidden';
  }, SHOWN_MS);
}

/** @param {string} question @param {string} verb @returns {Promise<boolean>} */
function confirm(question, verb) {
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      'dialog',
      { 'aria-labelledby': 'question' },
      h('p', { id: 'question' }, question),
      h(
        'p',
        { class: 'buttons' },
        h('button', { type: 'button', onclick: () => dialog.close('') }, 'Cancel'),
        h('button', { type: 'button', class: 'danger', onclick: () => dialog.close('yes') }, verb),
      ),
    )
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    };
  });
}

function prepareTheme() {
  const select = /** @type {HTMLSelectElement} */ (document.getElementById('theme'));
  const html = document.documentElement;
  select.value = html.dataset.theme ?? 'auto';
  select.onchange = () => {
    if (select.value === 'auto') delete html.dataset.theme;
    else html.dataset.theme = select.value;
    try {
      localStorage.setItem('sessionwise-theme', select.value);
    } catch {
      // Storage is switched off: it holds for this page.
    }
    dispatchEvent(new Event('sessionwise-theme'));
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    dispatchEvent(new Event('sessionwise-theme')),
  );
}

function prepareLeaving() {
  const button = document.getElementById('leave');
  if (!button) return;
  button.onclick = async () => {
    await post('leave', {}).catch(() => undefined);
    location.reload();
  };
}
