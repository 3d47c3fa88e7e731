/* health.js: who serves the namespace, and how well. */

/** @param {HTMLElement} root @param {*} data @param {import('./frame.js').Tools} tools */
export function render(root, data, { h, show }) {
  show(
    root,
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'instances' },
      h('h2', { id: 'instances' }, 'Instances'),
      data.instances.length === 0
        ? h(
            'p',
            { class: 'empty' },
            'No instance serves this namespace: pages degrade. Start one with sessionwise serve.',
          )
        : h(
            'table',
            null,
            h('caption', { class: 'hidden' }, 'Instances'),
            h(
              'thead',
              null,
              h(
                'tr',
                null,
                ['Instance', 'Transport', 'Sessions'].map((text) => h('th', { scope: 'col' }, text)),
              ),
            ),
            h(
              'tbody',
              null,
              data.instances.map((/** @type {*} */ { id, glob, transport }) =>
                h('tr', { key: id }, h('th', { scope: 'row' }, id), h('td', null, transport), h('td', null, glob)),
              ),
            ),
          ),
    ),
    h('section', { class: 'card' }, h('h2', null, 'Dead letters'), h('p', { class: 'figure' }, data.deadLetters)),
  );
}
