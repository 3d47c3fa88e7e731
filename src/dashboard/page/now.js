/* now.js: what happens on the site now. */

const PAGE_KINDS = { cluster: 'cluster', page: 'page' };

/** @param {HTMLElement} root @param {*} data @param {import('./frame.js').Tools} tools */
export function render(root, data, { h, show, keep, chart }) {
  const { minute, views, last5, last30, pages } = data;
  const [before = 0, present = 0] = views.slice(-2);

  /** @param {string} id @param {string} label @param {number} five @param {number} thirty */
  const tile = (id, label, five, thirty) =>
    h(
      'div',
      { class: 'tile' },
      h('dt', null, label),
      h('dd', { id }, count(five)),
      h('dd', { class: 'sub' }, 'in 5 minutes; ', h('span', { id: `${id}-30` }, count(thirty)), ' in 30'),
    );

  show(
    root,
    h(
      'dl',
      { class: 'tiles large wide' },
      tile('visitors', 'Visitors', last5.visitors, last30.visitors),
      h(
        'div',
        { class: 'tile' },
        h('dt', null, 'Views this minute'),
        h('dd', { id: 'views' }, count(present)),
        h('dd', { class: 'sub' }, h('span', { id: 'views-before' }, count(before)), ' in the minute before'),
      ),
      tile('people', 'People logged in', last5.persons, last30.persons),
      tile('new', 'New visitors', last5.fresh, last30.fresh),
      tile('back', 'Came back', last5.back, last30.back),
      tile('robots', 'Requests of robots refused', last5.robots, last30.robots),
    ),
    h(
      'section',
      { class: 'card wide', 'aria-labelledby': 'views-title' },
      h('h2', { id: 'views-title' }, 'Views a minute'),
      h('p', { class: 'quiet' }, h('span', { id: 'views-30' }, count(last30.views)), ' views in 30 minutes'),
      chart({
        key: 'views',
        title: 'Views in each minute of the last hour; the last one is not over',
        times: views.map(
          (/** @type {number} */ _, /** @type {number} */ i) => minute / 1000 - 60 * (views.length - 1 - i),
        ),
        series: [{ label: 'Views', values: views, format: count }],
        height: 220,
      }),
    ),
    h(
      'div',
      { class: 'halves wide' },
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'pages-title' },
        h('h2', { id: 'pages-title' }, 'Top pages'),
        pages.length === 0 ? noPages() : table(),
      ),
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'words-title' },
        h('h2', { id: 'words-title' }, 'What is counted'),
        h(
          'dl',
          { class: 'words' },
          WORDS.map(([word, text]) => [h('dt', null, word), h('dd', null, text)]),
        ),
      ),
    ),
  );

  function noPages() {
    return h(
      'p',
      { class: 'empty' },
      'No view of a named page in the last 30 minutes. Name pages as clusters in the configuration of the service: other paths are not kept in a readable form.',
    );
  }

  function table() {
    const most = Math.max(...pages.map((/** @type {*} */ page) => page.views));
    return h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-labelledby': 'pages-title' },
      h(
        'table',
        { class: 'bars' },
        h('caption', null, 'Views of the last 30 minutes. A page that has several names counts for each.'),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            h('th', { scope: 'col' }, 'Name'),
            h('th', { scope: 'col' }, 'Kind'),
            h('th', { scope: 'col', class: 'number' }, 'Views'),
            h('td', { class: 'share', 'aria-hidden': 'true' }),
          ),
        ),
        h(
          'tbody',
          null,
          pages.map((/** @type {{ name: string, kind: keyof typeof PAGE_KINDS, views: number }} */ page) =>
            h(
              'tr',
              { key: `${page.kind} ${page.name}` },
              h('th', { scope: 'row' }, page.name),
              h('td', { class: 'quiet' }, PAGE_KINDS[page.kind]),
              h('td', { class: 'number' }, count(page.views)),
              h('td', { class: 'share', 'aria-hidden': 'true' }, bar(page.views / most)),
            ),
          ),
        ),
      ),
    );
  }

  /** @param {number} share */
  function bar(share) {
    const filled = keep(h('div', { class: 'filled' }));
    filled.style.inlineSize = `${(100 * share).toFixed(1)}%`;
    return filled;
  }
}

const WORDS = [
  ['Times', 'The present minute and the 5 or 30 before it, by the clock of Redis.'],
  [
    'Visitors',
    'Browsers, tokens and people with a view or a sign of activity, about: the standard error is 0.81 %. A visitor who logs in counts as both.',
  ],
  ['People logged in', 'Of these, people whom the site has identified.'],
  ['New visitors', 'Their first view of the site was in this time.'],
  ['Came back', 'Views after more than five minutes without any.'],
  ['Requests of robots refused', 'By their User-Agent. They are no visitors: nothing else is known of them.'],
];

/** @param {number} number */
function count(number) {
  return number.toLocaleString('en-US');
}
