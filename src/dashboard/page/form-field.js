/* form-field.js: fields with a label, a hint and the sentence that says what is wrong, each tied to its input. */

import { h } from './dom.js';

/** Makes a field. `props`: of the input, with `name` and `id`. `problem`: what is wrong with it, if anything.
 *  @param {{ label: string, props: Record<string, any>, tag?: string, hint?: string | undefined, problem?: string | undefined }} field
 *  @param {...import('./dom.js').Child} children
 *  @returns {HTMLElement} */
export function formField({ label, props, tag = 'input', hint, problem }, ...children) {
  const described = [hint && `${props.id}-hint`, problem && `${props.id}-problem`].filter(Boolean).join(' ');
  return h(
    'div',
    { class: 'field', key: `field-${props.id}` },
    h('label', { for: props.id }, label),
    h(
      tag,
      {
        ...props,
        'aria-describedby': described || null,
        'aria-invalid': problem ? 'true' : null,
      },
      ...children,
    ),
    h('p', { class: 'quiet', key: `${props.id}-hint-row`, id: `${props.id}-hint`, hidden: !hint }, hint),
    h('p', { class: 'problem', key: `${props.id}-problem-row`, id: `${props.id}-problem`, hidden: !problem }, problem),
  );
}

/** Says at which of its fields a refusal is: the one that it names first in quotes; `other` where it names none.
 *  @param {string} message @param {readonly string[]} names @param {string} other
 *  @returns {Record<string, string>} */
export function problemAt(message, names, other) {
  const named = [...message.matchAll(/"(\w+)"/g)].map(([, name]) => name ?? '').find((name) => names.includes(name));
  return { [named ?? other]: message };
}

/** The values of a form's fields, by their names.
 *  @param {Event} event of the form
 *  @returns {Record<string, string>} */
export function valuesOf(event) {
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}
