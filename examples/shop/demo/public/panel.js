/* panel.js: puts what the pages asked into the panel, as it happens. All that came from others is written as text. */

const find = (name, within = document) => within.querySelector(`[data-${name}]`);
const frame = (visitor) => find(`frame="${visitor}"`);
const VISITORS = { first: 'You', second: 'Somebody else' };
const SERVICE_WORDS = {
  on: 'The service is on.',
  off: 'The service is off: pages go on without it.',
  starting: 'The service is starting …',
  stopping: 'The service is stopping …',
};

/** Which details are open, by the call that they are of. */
const opened = new Set();
/** What the list of calls shows now. */
let shownCalls = '';
let doneBefore;
let serviceState = 'unknown';

/** An element with a text, or with others in it. */
const make = (tag, properties, ...children) => {
  const element = document.createElement(tag);
  const { data = {}, ...others } = properties;
  Object.assign(element, others);
  Object.assign(element.dataset, data);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
};
const inPages = ({ totalPages, uniquePages }) =>
  `${totalPages} ${totalPages === 1 ? 'page' : 'pages'} seen${totalPages === uniquePages ? '' : `, ${uniquePages} different`}`;
const inMs = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** The call, its answer and the rule, as a developer writes them: opened on request. */
const codeOf = ({ name, code, answer, rule }) => {
  const summary = make('summary', {}, 'As code', make('span', { className: 'sr' }, `: ${name}`));
  const details = make('details', { data: { code: name }, open: opened.has(name) }, summary);
  const block = (text) => make('pre', { tabIndex: 0 }, make('code', {}, text));
  details.append(block(code));
  if (answer !== undefined) details.append(make('p', {}, 'The answer:'), block(answer));
  if (rule !== undefined) details.append(make('p', {}, 'The rule that fired, in sessionwise.json:'), block(rule));
  details.addEventListener('toggle', () => (details.open ? opened.add(name) : opened.delete(name)));
  return details;
};

const callOf = (call) => {
  const { name, ms, isMissing, text, lines } = call;
  const time = make('span', { className: 'ms' }, ms === undefined ? '…' : inMs(ms));
  return make(
    'li',
    { data: { call: name, missing: String(isMissing) } },
    make('p', { className: 'words' }, text, ' ', time),
    lines.length > 0 &&
      make(
        'ul',
        { className: 'rules' },
        ...lines.map((line) => make('li', { data: { mood: line.mood, rule: line.rule } }, line.text)),
      ),
    codeOf(call),
  );
};

/** Those of one turn stand together: they travelled as one message. */
const turnsOf = (calls) => {
  const turns = Map.groupBy ? Map.groupBy(calls, ({ turn }) => turn) : groupByTurn(calls);
  return [...turns.values()].map((of) => {
    const list = make('ul', { className: 'calls' }, ...of.map(callOf));
    if (of.length === 1) return list;
    return make(
      'div',
      { className: 'together' },
      make('p', { className: 'hint' }, `${of.length} questions, asked at once`),
      list,
    );
  });
};
const groupByTurn = (calls) => {
  const turns = new Map();
  for (const call of calls) turns.set(call.turn, [...(turns.get(call.turn) ?? []), call]);
  return turns;
};

const aboutOf = (visitor, page) => {
  const who = make('strong', {}, `${VISITORS[visitor]}, at ${page.title}.`);
  if (page.isNobody) {
    return [
      who,
      ' This browser asks sites not to track it (Do Not Track or Global Privacy Control). Sessionwise obeys: it knows nothing and counts nothing. Allow it for this address, or take another browser, to see the demo.',
    ];
  }
  if (!page.isWhole) return [who];
  const waited = make('strong', { data: { waited: '' } }, inMs(page.waitedMs));
  if (page.isDegraded) {
    return [
      who,
      ' Nobody answered, so the page went out without. It waited ',
      waited,
      `; after ${page.deadlineMs} ms it gives up in any case.`,
    ];
  }
  if (page.isSentFirst) {
    return [who, ' Its content waited for nothing. The figures at its foot followed after ', waited, '.'];
  }
  return [who, ' It waited ', waited, ` for this; after ${page.deadlineMs} ms it would have gone on without.`];
};

const showCalls = (visitor, page) => {
  const now = JSON.stringify([visitor, page]);
  if (now === shownCalls) return;
  shownCalls = now;
  const focused = document.activeElement?.closest?.('[data-code]')?.dataset.code;
  const about = find('about');
  about.replaceChildren(...aboutOf(visitor, page));
  Object.assign(about.dataset, {
    visitor,
    path: page.path,
    degraded: page.isDegraded,
    counted: page.counted,
    whole: page.isWhole,
  });
  const nodes =
    page.calls.length > 0 ? turnsOf(page.calls) : [make('p', { className: 'hint' }, 'This page asked nothing.')];
  for (const { title, calls } of page.before) nodes.push(make('h3', {}, title), ...turnsOf(calls));
  find('calls').replaceChildren(...nodes);
  if (focused !== undefined)
    find(`code="${CSS.escape(focused)}"`)
      ?.querySelector('summary')
      .focus();
};

const showSteps = (steps) => {
  const items = [...document.querySelectorAll('[data-step]')];
  const done = new Set(steps.filter((step) => step.done).map(({ name }) => name));
  const next = items.find(({ dataset }) => !done.has(dataset.step));
  for (const item of items) {
    item.dataset.done = done.has(item.dataset.step);
    if (item === next) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
    find('step-state', item).textContent = done.has(item.dataset.step) ? ' (done)' : '';
  }
  const nextCard = next && find(`card="${next.dataset.step}"`);
  const cards = [...document.querySelectorAll('[data-card]')];
  // Who stands on a button of a step that is done goes on to the next one.
  const hadFocus = cards.some((card) => card !== nextCard && card.contains(document.activeElement));
  for (const card of cards) card.hidden = card !== nextCard;
  if (hadFocus) (nextCard?.querySelector('a, button') ?? document.querySelector('#path')).focus();
  const title = nextCard?.querySelector('h3').textContent;
  const count = items.filter(({ dataset }) => done.has(dataset.step)).length;
  find('panel').classList.toggle('begun', count > 0);
  find('progress').textContent = `${count} of ${items.length} done`;
  find('bar-text').textContent = next
    ? `Step ${items.indexOf(next) + 1} of ${items.length}: ${title}`
    : 'What Sessionwise knows';
  for (const name of done) if (doneBefore && !doneBefore.has(name)) learn(name, title);
  if (count === 0) find('learnt').hidden = true;
  doneBefore = done;
};
const learn = (name, title) => {
  const words = find(`card="${name}"`)?.dataset.learntWords;
  if (words === undefined) return;
  const learnt = find('learnt');
  learnt.hidden = false;
  learnt.textContent = `✓ ${words}`;
  find('announce').textContent = `Done. ${words} ${title ? `Next: ${title}.` : 'That was the last step.'}`;
};

const showService = (state) => {
  serviceState = state;
  const line = find('service');
  if (!line) return;
  line.dataset.service = state;
  find('service-text').textContent = SERVICE_WORDS[state] ?? '…';
  const label = state === 'off' || state === 'starting' ? 'Switch the service on' : 'Switch the service off';
  for (const button of document.querySelectorAll('[data-press="service"]')) {
    button.textContent = label;
    button.setAttribute('aria-disabled', String(state === 'starting' || state === 'stopping'));
  }
};

const show = ({ service, last, steps, visitors }) => {
  showService(service);
  showSteps(steps);
  for (const [name, page] of Object.entries(visitors)) {
    const knows = page?.knows;
    find(`knows="${name}"`).textContent = knows ? inPages(knows) : '';
  }
  if (visitors[last]) showCalls(last, visitors[last]);
};

const say = (text) => {
  const said = find('said');
  said.hidden = false;
  said.textContent = text;
};
const post = async (deed, fields = {}) => {
  say('One moment …');
  const response = await fetch(`/demo/${deed}`, { method: 'POST', body: new URLSearchParams(fields) }).catch(
    () => undefined,
  );
  const answer = await response?.json().catch(() => undefined);
  say(answer?.text ?? 'The demo does not answer. Does it run still?');
  return response?.ok === true;
};

const showSecond = () => {
  const section = find('second');
  const second = frame('second');
  section.hidden = !section.hidden;
  find('stage').dataset.stage = section.hidden ? 'one' : 'two';
  const button = find('second-switch');
  button.setAttribute('aria-expanded', String(!section.hidden));
  button.textContent = section.hidden ? 'Show the second visitor' : 'Hide the second visitor';
  if (!second.hasAttribute('src')) second.src = second.dataset.src;
};
const DEEDS = {
  second: showSecond,
  service: () => {
    if (serviceState === 'on' || serviceState === 'off')
      return post('service', { on: serviceState === 'off' ? 'yes' : 'no' });
  },
  notice: () => post('notice'),
  robot: () => post('robot'),
  reset: async () => {
    if (await post('reset', { visitor: 'first' })) frame('first').src = '/';
  },
};
document.addEventListener('click', (event) => {
  const deed = event.target.closest?.('[data-press]')?.dataset.press;
  if (deed) void DEEDS[deed]();
});

// On a phone the panel is a bar below the shop, which opens.
const bar = find('bar');
const openSheet = (isOpen) => {
  bar.setAttribute('aria-expanded', String(isOpen));
  find('panel').classList.toggle('open', isOpen);
};
bar.addEventListener('click', () => openSheet(bar.getAttribute('aria-expanded') !== 'true'));
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || bar.getAttribute('aria-expanded') !== 'true') return;
  openSheet(false);
  bar.focus();
});

new EventSource('/demo/events').addEventListener('message', (event) => show(JSON.parse(event.data)));
