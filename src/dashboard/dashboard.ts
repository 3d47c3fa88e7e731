import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './access/access.ts';
import { ApplicationAccess } from './access/application-access.ts';
import { LoopbackAccess } from './access/loopback-access.ts';
import { checkDashboardOptions, type DashboardOptions } from './dashboard-options.ts';
import { defaultLog } from './default-log.ts';
import { DashboardHandler } from './http/dashboard-handler.ts';
import { StoreOpener } from './store-opener.ts';
import { VIEWS } from './views/index.ts';

/** Answers the requests to a dashboard, as middleware or by itself. */
export interface Dashboard {
  (request: IncomingMessage, response: ServerResponse, next?: unknown): void;
  /** Ends the streams of open pages and closes the connections. Never throws. */
  close(): Promise<void>;
}

/** Makes a dashboard to mount in an application: `app.use('/admin', dashboard({ sw, allow }))`. Opens the namespace with the
 *  first page; while Redis is away, pages say so.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function dashboard(options: DashboardOptions): Dashboard {
  checkDashboardOptions(options);
  const { allow, log = defaultLog() } = options;
  const access = allow ? new ApplicationAccess(allow, log) : new LoopbackAccess();
  return makeDashboard({ ...options, log }, access);
}

/** Makes a dashboard with a given access. */
export function makeDashboard(
  options: DashboardOptions & { readonly log: NonNullable<DashboardOptions['log']> },
  access: Access,
): Dashboard {
  const { log, readOnly, maxStreams, base, key } = options;
  const opener = new StoreOpener(options, log);
  const handler = new DashboardHandler({
    views: VIEWS,
    access,
    log,
    open: () => opener.open(),
    namespace: () => opener.namespace,
    ...(readOnly !== undefined && { readOnly }),
    ...(maxStreams !== undefined && { maxStreams }),
    ...(base !== undefined && { base }),
    ...(key !== undefined && { key }),
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void => void handler.handle(request, response);
  return Object.assign(handle, {
    async close() {
      handler.close();
      await opener.close();
    },
  });
}
