import type { DashboardView } from '../view.ts';
import { healthView } from './health-view.ts';

/** All views, in the order of the navigation. The first is what opens at the dashboard's own address. */
export const VIEWS: readonly DashboardView[] = [
  // One a line.
  healthView,
];
