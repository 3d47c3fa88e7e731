import { pino } from 'pino';
import { HttpAddressError, type ServedDashboard, serveDashboard } from '../dashboard/index.ts';
import { UsageError } from './usage-error.ts';

/** Serves the dashboard of the demo on 127.0.0.1: at the given port, else behind the shop's, else at a free one. `config`: the
 *  shop's configuration.
 *  @throws HttpAddressError where the given port is taken, UsageError for what is no port. */
export async function startDemoDashboard(
  redis: string,
  config: string,
  shopUrl: string,
  { namespace, dataDir, dashboardPort }: { namespace: string; dataDir: string; dashboardPort?: string },
): Promise<ServedDashboard> {
  if (dashboardPort !== undefined && (!/^\d{1,5}$/.test(dashboardPort) || Number(dashboardPort) > 65_535)) {
    throw new UsageError(`--dashboard-port ${dashboardPort} cannot be used: give 0 to 65535.`);
  }
  const { SESSIONWISE_SECRET: secret } = process.env;
  const serve = (port: number): Promise<ServedDashboard> =>
    serveDashboard({
      ...{ redis, namespace, dataDir, config, port },
      ...(secret && { secret }),
      log: pino({ level: 'warn', base: null }, pino.destination({ dest: 2, sync: true })),
    });
  if (dashboardPort !== undefined) return serve(Number(dashboardPort));
  const behind = Number(new URL(shopUrl).port) + 1;
  return serve(behind > 65_535 ? 0 : behind).catch((error) => {
    if (error instanceof HttpAddressError) return serve(0);
    throw error;
  });
}
