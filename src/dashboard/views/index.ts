import type { DashboardView } from '../view.ts';
import { healthView } from './health-view.ts';
import { noticesView } from './notices-view.ts';
import { nowView } from './now-view.ts';
import { rulesView } from './rules-view.ts';
import { subjectView } from './subject-view.ts';

/** All views, in the order of the navigation. The first is what opens at the dashboard's own address. */
export const VIEWS: readonly DashboardView[] = [
  // One a line.
  nowView,
  subjectView,
  noticesView,
  rulesView,
  healthView,
];
