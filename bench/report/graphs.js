import { SIDE_NAMES } from '../support/sides.js';
import { written } from './markdown.js';
import { barChart, lineChart } from './svg.js';

const PAGE_SIDES = ['connectRedis', 'tuned', 'ours', 'inline', 'streams', 'floor', 'paper'];
const CPU = { "the page's process": 'siteUs', service: 'serviceUs', Redis: 'redisUs' };
const WAYS = { inbox: 'channels', list: 'channels, BLPOP', streams: 'streams', inline: 'inline' };

/** The graphs, by the names of their files. */
export const GRAPHS = {
  pages: (figures) => {
    const series = PAGE_SIDES.map((side) => SIDE_NAMES[side]);
    const groups = [1, 16, 64].map((connections) => ({
      label: `${connections} connection${connections > 1 ? 's' : ''}`,
      bars: PAGE_SIDES.map((side) => {
        const value = figures.median(`page/whole/${connections}`, side, 'perSecond');
        const ratio = figures.ratio(`page/whole/${connections}`, side, 'perSecond');
        return { series: SIDE_NAMES[side], value, text: `${written(value)} (${ratio.toFixed(2)})` };
      }),
    }));
    const unit = "pages a second, in brackets of connect-redis' page without views and answers";
    return legended({ title: 'The whole page', unit, series, groups });
  },

  cpu: (figures) => {
    const groups = PAGE_SIDES.map((side) => ({
      label: SIDE_NAMES[side],
      bars: Object.entries(CPU).flatMap(([name, figure]) => {
        const value = figures.row('page/whole/16').medians[side][figure];
        return value === undefined ? [] : [{ series: name, value, text: written(value) }];
      }),
    }));
    const unit = 'microseconds of CPU a page, 16 connections; the load generator is not counted';
    return barChart({ title: 'CPU of the whole page', unit, series: Object.keys(CPU), groups, isStacked: true });
  },

  wire: (figures) => {
    const lines = Object.entries(WAYS).map(([way, name]) => ({
      name,
      points: figures
        .rowsOf(`wire/view/${way}/`)
        .map(({ id, medians }) => [Number(id.split('/').at(-1)), medians.ours.perSecond]),
    }));
    const unit = 'views answered a second, by views in flight';
    return lineChart({
      title: 'Page views over each way',
      unit,
      lines,
      ticks: [1, 16, 32, 64, 128, 512],
      isLogarithmic: true,
      write: written,
    });
  },

  growth: (figures) => {
    const { medians } = figures.row('memory/growth');
    const points = Object.entries(medians).map(([subjects, { meanBytes }]) => [
      Number(subjects),
      (Number(subjects) * meanBytes) / 1e6,
    ]);
    const unit = 'megabytes of Redis, by number of subjects with one view each';
    const lines = [{ name: 'growth of used_memory', points: [[0, 0], ...points] }];
    const ticks = [0, points[Math.floor(points.length / 2) - 1][0], points.at(-1)[0]];
    return lineChart({ title: 'Memory', unit, lines, ticks, write: written });
  },
};

// Seven names do not fit into one line above the bars, so each bar of the first group says whose it is.
function legended({ groups, series, ...chart }) {
  const named = groups.map(({ bars, ...group }) => ({
    ...group,
    bars: bars.map((bar) => ({ ...bar, text: `${bar.text} ${bar.series}` })),
  }));
  return barChart({ ...chart, series, groups: named, hasLegend: false, room: 310 });
}
