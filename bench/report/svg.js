/* svg.js: charts as SVG, by hand, for documents that are read in light and in dark: the colours follow the reader's
 * setting, and the chart brings its own background, because an image does not know that of its page. */

const WIDTH = 760;
const LEFT = 210;
const ROW = 18;
const GAP = 14;
const TOP = 76;
const COLOURS = 7;

const STYLE = `
  .back{fill:#fff;stroke:#d0d7de}.text{fill:#1f2328}.soft{fill:#59636e}.line{stroke:#d0d7de}
  text{font:13px system-ui,sans-serif}.title{font-weight:600;font-size:15px}.small{font-size:12px}
  .c0{fill:#2563eb;stroke:#2563eb}.c1{fill:#b45309;stroke:#b45309}.c2{fill:#047857;stroke:#047857}
  .c3{fill:#9333ea;stroke:#9333ea}.c4{fill:#be123c;stroke:#be123c}.c5{fill:#0e7490;stroke:#0e7490}.c6{fill:#64748b;stroke:#64748b}
  .curve{fill:none;stroke-width:2}
  @media (prefers-color-scheme:dark){
    .back{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.soft{fill:#9198a1}.line{stroke:#3d444d}
    .c0{fill:#60a5fa;stroke:#60a5fa}.c1{fill:#f59e0b;stroke:#f59e0b}.c2{fill:#34d399;stroke:#34d399}
    .c3{fill:#c084fc;stroke:#c084fc}.c4{fill:#fb7185;stroke:#fb7185}.c5{fill:#22d3ee;stroke:#22d3ee}.c6{fill:#94a3b8;stroke:#94a3b8}
    .curve{fill:none}
  }`;

/** Horizontal bars in groups. `groups`: [{ label, bars: [{ series, value, text }] }]; `series`: their names, one colour
 *  each. `isStacked`: a group is one bar of parts. `hasLegend`: whether the names stand above. `room`: for what stands
 *  behind a bar, in pixels. */
export function barChart({ title, unit, series, groups, isStacked = false, hasLegend = true, room = 150 }) {
  const sumOf = ({ bars }) => bars.reduce((sum, { value }) => sum + value, 0);
  const most = Math.max(
    ...groups.map((group) => (isStacked ? sumOf(group) : Math.max(...group.bars.map(({ value }) => value)))),
  );
  const scale = (value) => (value / most) * (WIDTH - LEFT - room);
  const parts = [];
  let y = TOP;
  for (const group of groups) {
    const height = isStacked ? ROW : group.bars.length * ROW;
    parts.push(text(LEFT - 10, y + height / 2 + 4, group.label, 'text', 'end'));
    parts.push(...(isStacked ? stackedBar(group, { y, scale, series }) : groupBars(group, { y, scale, series })));
    y += height + GAP;
  }
  return frame({ title, unit, series: hasLegend ? series : [], height: y + 4, body: parts });
}

function groupBars({ bars }, { y, scale, series }) {
  return bars.flatMap(({ series: name, value, text: label }, i) => [
    rectangle(LEFT, y + i * ROW + 2, scale(value), ROW - 4, series.indexOf(name)),
    text(LEFT + scale(value) + 6, y + i * ROW + 13, label, 'soft small'),
  ]);
}

function stackedBar({ bars }, { y, scale, series }) {
  let x = LEFT;
  const parts = [];
  for (const { series: name, value } of bars) {
    parts.push(rectangle(x, y + 1, scale(value), ROW - 2, series.indexOf(name)));
    x += scale(value);
  }
  const total = bars.map(({ text: label }) => label).join(' + ');
  return [...parts, text(x + 6, y + 13, total, 'soft small')];
}

/** Lines over a scale. `lines`: [{ name, points: [[x, y]] }]; `isLogarithmic`: of x. `ticks`: of x. */
export function lineChart({ title, unit, lines, ticks, isLogarithmic = false, write = String }) {
  const height = 320;
  const series = lines.map(({ name }) => name);
  const points = lines.flatMap((line) => line.points);
  const [mostX, mostY] = [Math.max(...points.map(([x]) => x)), niceTop(Math.max(...points.map(([, y]) => y)))];
  const leastX = isLogarithmic ? Math.min(...points.map(([x]) => x)) : 0;
  const [left, right, bottom] = [80, WIDTH - 30, height - 36];
  const partX = (x) => (isLogarithmic ? Math.log(x / leastX) / Math.log(mostX / leastX) : x / mostX);
  const atX = (x) => left + partX(x) * (right - left);
  const atY = (y) => bottom - (y / mostY) * (bottom - TOP);
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
    `<line class="line" x1="${left}" x2="${right}" y1="${round(atY(part * mostY))}" y2="${round(atY(part * mostY))}"/>`,
    text(left - 8, atY(part * mostY) + 4, write(part * mostY), 'soft small', 'end'),
  ]);
  const labels = ticks.map((x) => text(atX(x), bottom + 20, write(x), 'soft small', 'middle'));
  const curves = lines.map(({ points: own }, i) => {
    const path = own.map(([x, y], n) => `${n ? 'L' : 'M'}${round(atX(x))} ${round(atY(y))}`).join('');
    const dots = own.map(
      ([x, y]) => `<circle class="c${i % COLOURS}" cx="${round(atX(x))}" cy="${round(atY(y))}" r="3"/>`,
    );
    return `<path class="curve c${i % COLOURS}" style="fill:none" d="${path}"/>${dots.join('')}`;
  });
  return frame({ title, unit, series, height, body: [...grid, ...labels, ...curves] });
}

/** The next number that is easy to read, from 1, 2, 2.5 and 5 times a power of ten. */
export function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((top) => top >= value);
}

function frame({ title, unit, series, height, body }) {
  let x = 20;
  const legend = series.map((name, i) => {
    const entry = rectangle(x, 50, 11, 11, i) + text(x + 16, 60, name, 'soft small');
    x += 34 + name.length * 6.6;
    return entry;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t">
<title id="t">${escaped(title)}</title>
<style>${STYLE}
</style>
<rect class="back" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text(20, 26, title, 'text title')}${text(20, 43, unit, 'soft small')}
${[...legend, ...body].join('\n')}
</svg>
`;
}

function rectangle(x, y, width, height, colour) {
  return `<rect class="c${colour % COLOURS}" style="stroke:none" x="${round(x)}" y="${round(y)}" width="${round(Math.max(width, 1))}" height="${height}" rx="2"/>`;
}

function text(x, y, words, classes, anchor = 'start') {
  return `<text class="${classes}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const round = (number) => Number(number.toFixed(1));
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (words) => String(words).replace(/[&<>"]/g, (character) => ESCAPES[character]);
