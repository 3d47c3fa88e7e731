import { table, written } from './markdown.js';

/* dashboard-blocks.js: the table about open dashboards, for blocks.js. */

const NOT_YET = 'Not measured yet.';
const SIDES = {
  none: 'no dashboard',
  pages: 'three pages of one dashboard',
  dashboards: 'three dashboards of a page each',
};

const TABLES = {
  dashboard: (figures) => {
    const { id, load, medians } = figures.row('dashboard/replay');
    return table(
      [load, 'views a second', '', 'median, ms', '99 %, ms', 'Redis, µs', 'service, µs', 'dashboards, µs'],
      Object.entries(SIDES).map(([side, title]) => {
        const { perSecond, p50Ms, p99Ms, redisUs, serviceUs, dashboardUs } = medians[side];
        return [
          title,
          written(perSecond),
          side === 'none' ? '' : `${figures.ratio(id, side, 'perSecond').toFixed(2)} ×`,
          ...[p50Ms, p99Ms, redisUs, serviceUs].map(written),
          dashboardUs === undefined ? '' : written(dashboardUs),
        ];
      }),
    );
  },
};

/** A run that was made before there were dashboards does not have this row. */
export const DASHBOARD_BLOCKS = Object.fromEntries(
  Object.entries(TABLES).map(([name, draw]) => [
    name,
    (figures) => (figures.rows.has('dashboard/replay') ? draw(figures) : NOT_YET),
  ]),
);
