/* notice-form.js: writes a notice, or changes one. What is wrong stands beside its field, and what was typed stays. */

import { h } from './dom.js';
import { formField, problemAt, valuesOf } from './form-field.js';
import { localInput, readLocalInput } from './moments.js';

/** What is wrong, by form and field. @type {Record<string, Record<string, string>>} */
const problems = {};
const FIELDS = ['to', 'id', 'title', 'text', 'severity', 'data', 'publishAt', 'expiresAt'];
const KINDS = { group: 'Group', segment: 'Segment', person: 'Person, by user id', subject: 'Session or person, by id' };
const SEVERITIES = ['info', 'success', 'warning', 'error'];

/** @typedef {{ key: string, data: any, tools: import('./frame.js').Tools, redraw: () => void, subject?: string | null, editing?: { notice: any, of: any }, done?: () => void }} FormProps */

/** A form for a new notice or, with `editing`, for one that is there.
 *  @param {FormProps} props
 *  @returns {HTMLElement} */
export function noticeForm(props) {
  const { key, editing, subject, done } = props;
  const wrong = problems[key] ?? {};
  const notice = editing?.notice;
  const id = (/** @type {string} */ name) => `${editing ? 'edit' : 'write'}-${name}`;
  return h(
    'section',
    { class: 'card spaced', key, 'aria-labelledby': id('heading') },
    h(
      'h2',
      { id: id('heading') },
      editing ? 'Edit ' : 'Write a notice',
      editing && h('span', { class: 'id' }, notice.id),
    ),
    h(
      'form',
      { onsubmit: (/** @type {SubmitEvent} */ event) => void send(event, props) },
      !editing && recipient(wrong.to, subject ?? null),
      formField({
        label: 'Title',
        hint: 'May be empty.',
        problem: wrong.title,
        props: { id: id('title'), name: 'title', value: notice?.title ?? '', autocomplete: 'off' },
      }),
      formField(
        {
          label: 'Text',
          tag: 'textarea',
          problem: wrong.text,
          props: { id: id('text'), name: 'text', rows: 3, required: true },
        },
        notice?.text ?? '',
      ),
      formField(
        { label: 'Severity', tag: 'select', problem: wrong.severity, props: { id: id('severity'), name: 'severity' } },
        h('option', { value: '' }, 'none'),
        SEVERITIES.map((each) => h('option', { value: each, selected: notice?.severity === each }, each)),
      ),
      h(
        'div',
        { class: 'columns' },
        formField({
          label: 'Shown from',
          hint: 'In your time zone. Empty: now.',
          problem: wrong.publishAt,
          props: {
            id: id('publishAt'),
            name: 'publishAt',
            type: 'datetime-local',
            value: notice ? localInput(notice.at) : '',
          },
        }),
        formField({
          label: 'Until',
          hint: 'Empty: until it is withdrawn.',
          problem: wrong.expiresAt,
          props: {
            id: id('expiresAt'),
            name: 'expiresAt',
            type: 'datetime-local',
            value: notice?.expiresAt ? localInput(notice.expiresAt) : '',
          },
        }),
      ),
      h(
        'details',
        { key: 'more', open: wrong.data !== undefined || wrong.id !== undefined },
        h('summary', null, 'Id and further fields'),
        !editing &&
          formField({
            label: 'Id',
            hint: 'By which it is marked, edited and withdrawn. Empty: one is made.',
            problem: wrong.id,
            props: { id: id('id'), name: 'id', autocomplete: 'off' },
          }),
        formField(
          {
            label: 'Fields for the page',
            tag: 'textarea',
            hint: 'A JSON object such as {"link":"/sale"}.',
            problem: wrong.data,
            props: { id: id('data'), name: 'data', rows: 2, spellcheck: 'false' },
          },
          notice?.data ? JSON.stringify(notice.data) : '',
        ),
      ),
      h(
        'p',
        { class: 'buttons' },
        h('button', { type: 'submit', class: 'primary' }, editing ? 'Save the changes' : 'Publish'),
        editing && h('button', { type: 'button', onclick: done }, 'Cancel'),
      ),
    ),
  );
}

/** @param {string | undefined} problem @param {string | null} subject */
function recipient(problem, subject) {
  return h(
    'div',
    { class: 'columns', key: `to-${subject ?? ''}` },
    formField(
      { label: 'To', tag: 'select', props: { id: 'write-kind', name: 'kind' } },
      Object.entries(KINDS).map(([value, text]) =>
        h('option', { value, selected: subject !== null && value === 'subject' }, text),
      ),
    ),
    formField({
      label: 'Its name or id',
      problem,
      props: {
        id: 'write-to',
        name: 'to',
        required: true,
        autocomplete: 'off',
        list: 'known-lists',
        value: subject ?? '',
      },
    }),
  );
}

/** @param {SubmitEvent} event @param {FormProps} props */
async function send(event, { key, tools, redraw, editing, done }) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const values = valuesOf(event);
  try {
    const fields = fieldsOf(values, editing?.notice);
    if (editing) {
      const { id } = editing.notice;
      await tools.act('edit', { id, ...fields, ...('subject' in editing.of && { to: editing.of }) });
      tools.announce('The notice was changed.');
    } else {
      const to = { [values.kind ?? '']: (values.to ?? '').trim() };
      await tools.act('publish', { to, ...(values.id && { id: values.id }), ...fields });
      tools.announce('The notice was published.');
      form.reset();
      if ('group' in to || 'segment' in to) tools.follow(to);
    }
    delete problems[key];
    done?.();
  } catch (error) {
    const message = /** @type {Error} */ (error).message;
    problems[key] = problemAt(message.replace(/^The (group|segment|payload) /, '"to": $&'), FIELDS, 'text');
    if (problems[key]?.data ?? problems[key]?.id) form.querySelector('details')?.setAttribute('open', '');
  }
  redraw();
  /** @type {HTMLElement | null} */ (form.querySelector('[aria-invalid]'))?.focus();
}

// What was emptied is deleted from a notice that has it; of a new one it is left out.
/** @param {Record<string, string>} values @param {any} notice @returns {Record<string, unknown>} */
function fieldsOf({ title = '', text = '', severity = '', data = '', publishAt = '', expiresAt = '' }, notice) {
  const none = (/** @type {string} */ name) => (notice && notice[name] !== null ? { [name]: null } : {});
  const [from, until] = [readLocalInput(publishAt), readLocalInput(expiresAt)];
  const isSame = (/** @type {string} */ input, /** @type {number | null | undefined} */ at) =>
    at && input === localInput(at);
  return {
    text,
    ...(title === '' ? none('title') : { title }),
    ...(severity === '' ? none('severity') : { severity }),
    ...(data.trim() === '' ? none('data') : { data: parsed(data) }),
    ...(from !== undefined && !isSame(publishAt, notice?.at) && { publishAt: from }),
    ...(until === undefined ? none('expiresAt') : !isSame(expiresAt, notice?.expiresAt) && { expiresAt: until }),
  };
}

/** @param {string} json */
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('"data" is no JSON: write for instance {"link":"/sale"}.');
  }
}
