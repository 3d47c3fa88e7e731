/* The dashboard: a page over a namespace, mounted in an application or served by itself. */

export { SessionwiseError } from '../protocol/index.ts';
export type { ConnectionOptions } from '../redis/index.ts';
export type { Log } from '../service/index.ts';
export { HttpAddressError } from '../service/index.ts';
export type { Dashboard } from './dashboard.ts';
export { dashboard } from './dashboard.ts';
export type {
  Allowed,
  DashboardOptions,
  DashboardSettings,
  DashboardSource,
  OpenedStore,
} from './dashboard-options.ts';
export type { Role } from './role.ts';
export { ROLES } from './role.ts';
export type { ServeDashboardOptions, ServedDashboard } from './serve-dashboard.ts';
export { serveDashboard } from './serve-dashboard.ts';
