/* chart.js: lines over time by uPlot, with the same numbers as a table for those who do not see a canvas. */

import { h, keep, show } from './dom.js';

/** @typedef {{ label: string, values: readonly (number | null)[], format?: (value: number) => string }} Series */
/** @typedef {{ key: string, title: string, times: readonly number[], series: readonly Series[], height?: number }} ChartProps */

/** @type {Promise<any> | undefined} */
let library;
/** @type {Map<string, { figure: HTMLElement, draw: (props: ChartProps) => void }>} */
const charts = new Map();
const MOST_ROWS = 60;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = h('link', { rel: 'stylesheet', href: 'uPlot.css' });
    const script = h('script', {
      src: 'uPlot.js',
      onload: () => resolve(/** @type {*} */ (window).uPlot),
      onerror: reject,
    });
    document.head.append(style, script);
  });
  return library;
}

/** Returns a figure with lines over time. The same `key` is the same figure, with the new numbers. `times`: seconds of the
 *  epoch, rising; `values`: one a time, null where there is none.
 *  @param {ChartProps} props
 *  @returns {HTMLElement} */
export function chart(props) {
  let entry = charts.get(props.key);
  if (!entry) {
    entry = makeChart(props.key);
    charts.set(props.key, entry);
  }
  entry.draw(props);
  return entry.figure;
}

/** @param {string} key */
function makeChart(key) {
  const canvas = h('div', { class: 'plot', 'aria-hidden': 'true' });
  const words = h('div');
  const figure = keep(h('figure', { class: 'chart', key }, h('figcaption', { class: 'caption' }), canvas, words));
  const caption = /** @type {HTMLElement} */ (figure.firstChild);
  /** @type {any} */
  let plot;
  let shape = '';
  /** @type {ChartProps} */
  let last;
  const paint = async () => {
    const uPlot = await loadLibrary().catch(() => undefined);
    if (!uPlot || canvas.clientWidth === 0) return;
    const data = [last.times, ...last.series.map(({ values }) => values)];
    const wanted = `${last.series.map(({ label }) => label).join()} ${document.documentElement.dataset.theme ?? ''} ${matchMedia('(prefers-color-scheme: dark)').matches}`;
    if (wanted !== shape) {
      plot?.destroy();
      plot = new uPlot(optionsOf(last, canvas.clientWidth), data, canvas);
      shape = wanted;
    } else plot.setData(data);
    // Nobody points at a moment: the legend says the last.
    if (plot.cursor.idx === null || plot.cursor.idx === undefined) plot.setLegend({ idx: last.times.length - 1 });
  };
  new ResizeObserver(() => {
    if (plot && canvas.clientWidth > 0) plot.setSize({ width: canvas.clientWidth, height: last.height ?? 160 });
    else if (last) void paint();
  }).observe(canvas);
  addEventListener('sessionwise-theme', () => void paint());
  return {
    figure,
    /** @param {ChartProps} props */
    draw(props) {
      last = props;
      caption.textContent = props.title;
      show(words, tableOf(props));
      void paint();
    },
  };
}

/** @param {ChartProps} props @param {number} width */
function optionsOf({ series, height = 160 }, width) {
  const style = getComputedStyle(document.documentElement);
  const axis = {
    stroke: style.getPropertyValue('--quiet'),
    grid: { stroke: style.getPropertyValue('--line'), width: 1 },
  };
  const format = series[0]?.format;
  return {
    width,
    height,
    cursor: { drag: { x: false, y: false } },
    legend: { live: true },
    scales: {
      y: {
        range: (/** @type {*} */ _, /** @type {number} */ low, /** @type {number} */ high) => [
          Math.min(0, low),
          Math.max(high * 1.1, 1e-9),
        ],
      },
    },
    axes: [
      axis,
      {
        ...axis,
        size: 64,
        ...(format && { values: (/** @type {*} */ _, /** @type {number[]} */ all) => all.map(format) }),
      },
    ],
    series: [
      {},
      ...series.map(({ label, format: shown }, i) => ({
        label,
        stroke: style.getPropertyValue(`--line-${i + 1}`),
        width: 2,
        dash: [[], [8, 4], [2, 3], [12, 4, 2, 4]][i % 4],
        points: { show: false },
        ...(shown && {
          value: (/** @type {*} */ _, /** @type {number | null} */ value) => (value === null ? '' : shown(value)),
        }),
      })),
    ],
  };
}

/** @param {ChartProps} props */
function tableOf({ title, times, series }) {
  const step = Math.max(1, Math.ceil(times.length / MOST_ROWS));
  // Lines over more than a day need the day too.
  const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 86_400;
  const timeOf = (/** @type {Date} */ time) => (isLong ? time.toLocaleString() : time.toLocaleTimeString());
  const rows = times.map((_, i) => i).filter((i) => (times.length - 1 - i) % step === 0);
  return h(
    'details',
    { class: 'numbers' },
    h('summary', null, 'As a table'),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${title}, as a table` },
      h(
        'table',
        null,
        h('caption', null, title),
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            h('th', { scope: 'col' }, 'Time'),
            series.map(({ label }) => h('th', { scope: 'col', class: 'number' }, label)),
          ),
        ),
        h(
          'tbody',
          null,
          rows.toReversed().map((i) =>
            h(
              'tr',
              null,
              h('th', { scope: 'row' }, timeOf(new Date((times[i] ?? 0) * 1000))),
              series.map(({ values, format }) => {
                const value = values[i];
                return h(
                  'td',
                  { class: 'number' },
                  value === null || value === undefined ? '–' : format ? format(value) : String(value),
                );
              }),
            ),
          ),
        ),
      ),
    ),
  );
}
