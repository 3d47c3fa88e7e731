import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

const { commandsText, table, written } = await benchModule('report/markdown.js');
const { barChart, lineChart, niceTop } = await benchModule('report/svg.js');
const { drawText } = await benchModule('report/document.js');
const { Figures } = await benchModule('report/figures.js');
const { rowOf } = await benchModule('report/rows.js');

describe('what tables are made of', () => {
  it('numbers have three digits, thousands commas', () => {
    expect([12345.6, 123.4, 12.34, 1.234, 3, 0, undefined].map(written)).toEqual([
      ...['12,346', '123', '12.3', '1.23', '3', '0', ''],
    ]);
  });

  it('a column of numbers stands to the right, and a bar within a cell is no border', () => {
    const lines = table(
      ['a', 'b', 'c'],
      [
        ['x|y', '1,234 (0.5)', 'word'],
        ['z', undefined, '2'],
      ],
    ).split('\n');
    expect(lines).toEqual(['| a | b | c |', '| --- | ---: | --- |', '| x\\|y | 1,234 (0.5) | word |', '| z |  | 2 |']);
  });

  it('commands say how often, where it is not once', () => {
    expect(commandsText({ get: 1, publish: 2 })).toBe('get + 2 publish');
    expect(commandsText({})).toBe('none');
  });
});

describe('the charts', () => {
  const groups = [
    {
      label: '1 <connection>',
      bars: [
        { series: 'ours', value: 50, text: '50' },
        { series: 'theirs', value: 100, text: '100' },
      ],
    },
  ];
  const widths = (svg: string) =>
    [...svg.matchAll(/class="c\d" style="stroke:none"[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));

  it('a bar is as long as its value', () => {
    const svg = barChart({ title: 't', unit: 'u', series: ['ours', 'theirs'], groups, hasLegend: false });
    const [ours, theirs] = widths(svg);
    expect(ours! * 2).toBeCloseTo(theirs!);
  });

  it('a stacked bar is as long as all its parts', () => {
    const both = [...groups, { label: 'one', bars: [{ series: 'ours', value: 150, text: '150' }] }];
    const svg = barChart({
      title: 't',
      unit: 'u',
      series: ['ours', 'theirs'],
      groups: both,
      isStacked: true,
      hasLegend: false,
    });
    const [a, b, whole] = widths(svg);
    expect(a! + b!).toBeCloseTo(whole!, 0);
    // Within the chart, its labels beside it.
    expect(whole!).toBeLessThan(500);
  });

  it('have a name for who cannot see them, colours for light and dark, and no markup of data', () => {
    const svg = barChart({ title: 'a & b', unit: 'u', series: ['ours'], groups });
    expect(svg).toContain('<title id="t">a &amp; b</title>');
    expect(svg).toContain('role="img"');
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).toContain('1 &lt;connection&gt;');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('a line goes from the left to the right, equal factors equally far apart', () => {
    const lines = [
      {
        name: 'ours',
        points: [
          [1, 1],
          [16, 2],
          [256, 4],
        ],
      },
    ];
    const svg = lineChart({ title: 't', unit: 'u', lines, ticks: [1, 256], isLogarithmic: true });
    const [first, middle, last] = [...svg.matchAll(/cx="([\d.]+)"/g)].map(([, x]) => Number(x));
    expect(middle! - first!).toBeCloseTo(last! - middle!, 0);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('a scale ends at a number that is easy to read', () => {
    expect([0.7, 3, 11, 26, 260, 1000].map(niceTop)).toEqual([1, 5, 20, 50, 500, 1000]);
  });
});

describe('the document', () => {
  const rounds = [{ ours: { perSecond: 50 }, connectRedis: { perSecond: 100 } }];
  const row = rowOf({ id: 'page/whole/16', title: 't', load: 'l', against: 'connectRedis', rounds });
  const results = { rounds: 5, rows: [row] };
  const mark = (name: string, before: string) => `<!-- bench: ${name} -->${before}<!-- /bench -->`;

  it('is drawn between its marks, and nowhere else', () => {
    const text = `A ${mark('ratio page/whole/16 ours perSecond', 'old')} b.\n\n${mark('rounds', '\nold\n')}\n`;
    const drawn = drawText(text, results);
    expect(drawn).toBe(
      `A ${mark('ratio page/whole/16 ours perSecond', '0.50')} b.\n\n${mark('rounds', '\n\n5\n\n')}\n`,
    );
    expect(drawText(drawn, results)).toBe(drawn);
  });

  it('says so where nothing was measured yet', () => {
    expect(drawText(mark('rounds', '5'), undefined)).toBe(mark('rounds', 'Not measured yet.'));
  });

  it.each(['median page/whole/16 ours p99Ms', 'ratio page/whole/64 ours perSecond', 'no-such-block'])(
    'refuses a mark that nothing answers: %s',
    (name) => {
      expect(() => drawText(mark(name, 'old'), results)).toThrow(/of which there is nothing|have no/);
    },
  );

  it('finds ratios between rows round by round', () => {
    const other = rowOf({ id: 'b', title: 't', load: 'l', rounds: [{ ours: { perSecond: 25 } }] });
    expect(new Figures({ rows: [row, other] }).ratioOfRows('page/whole/16', 'b', 'ours', 'perSecond')).toBe(2);
  });
});
