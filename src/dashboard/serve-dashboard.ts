import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConnectionOptions } from '../redis/index.ts';
import { HttpAddressError } from '../service/index.ts';
import type { SessionDataOptions } from '../sessions/index.ts';
import { isLoopbackName } from './access/host-names.ts';
import { LoopbackAccess } from './access/loopback-access.ts';
import { TokenAccess } from './access/token-access.ts';
import { makeDashboard } from './dashboard.ts';
import { checkMaxStreams, type DashboardSettings } from './dashboard-options.ts';
import { defaultLog } from './default-log.ts';
import type { Role } from './role.ts';

/** How a dashboard is served by itself. */
export interface ServeDashboardOptions extends DashboardSettings {
  readonly redis: string | ConnectionOptions;
  /** Default `sw`. */
  readonly namespace?: string;
  /** The namespace's secret. Default: the one that was generated in `dataDir`. */
  readonly secret?: string;
  /** The folder of a generated secret. Default `.sessionwise`. */
  readonly dataDir?: string;
  /** Decrypts session data, as the store is told. Default: they are not encrypted. */
  readonly encryption?: SessionDataOptions['encryption'];
  /** Default 127.0.0.1. Any address that others reach needs a token. */
  readonly host?: string;
  /** Default 3380; 0 takes a free one. */
  readonly port?: number;
  /** What a browser must give to get in: 16 characters or more. Default: none, and only this machine gets in. */
  readonly token?: string;
  /** The role of who gets in. Default `operator`. */
  readonly role?: Role;
  /** Names beside `host` by which browsers may call it: that of a proxy in front. */
  readonly hostNames?: readonly string[];
}

/** A dashboard with a server of its own. */
export interface ServedDashboard {
  /** Where a browser opens it. */
  readonly url: string;
  /** Ends the streams of open pages and closes the server and the connections. Never throws. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 500;

/** Serves a dashboard until it is closed.
 *  @throws RangeError for an option that cannot be used, and for an address that others reach without a token;
 *  HttpAddressError where it cannot listen. */
export async function serveDashboard(options: ServeDashboardOptions): Promise<ServedDashboard> {
  const { host = '127.0.0.1', port = 3380, token, role = 'operator', hostNames = [], log = defaultLog() } = options;
  checkMaxStreams(options.maxStreams);
  if (token === undefined && !isLoopbackName(host)) {
    throw new RangeError(
      `The dashboard would be open to everybody who reaches ${host}: give a token with --token-file FILE or SESSIONWISE_DASHBOARD_TOKEN, or listen on 127.0.0.1.`,
    );
  }
  const isEverywhere = ['0.0.0.0', '::', ''].includes(host);
  const access =
    token === undefined
      ? new LoopbackAccess(role)
      : new TokenAccess(token, role, { hostNames: [host, ...hostNames], anyNumeric: isEverywhere });
  const handle = makeDashboard({ ...options, log }, access);
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 }, handle);
  server.maxConnections = MOST_CONNECTIONS;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    await handle.close();
    throw notListening(host, port, error as NodeJS.ErrnoException);
  }
  const bound = (server.address() as AddressInfo).port;
  const shown = isEverywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${bound}/`,
    async close() {
      await handle.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function notListening(host: string, port: number, error: NodeJS.ErrnoException): HttpAddressError {
  return new HttpAddressError(
    `The dashboard cannot listen on ${host}:${port} (${error.code}): is the port taken? Give another --port.`,
    { cause: error },
  );
}
