import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { withDeadline } from '../async/index.ts';
import type { ServedDashboard } from '../dashboard/index.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../redis/embedded/index.ts';
import { startDemoDashboard } from './demo-dashboard.ts';
import { DemoError } from './demo-error.ts';
import { DEFAULT_DATA_DIR } from './namespace-options.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

interface DemoFlags {
  readonly redis?: string;
  readonly port: string;
  readonly host: string;
  readonly namespace: string;
  readonly dataDir: string;
  readonly dashboardPort?: string;
  readonly service: boolean;
}

interface Shop {
  readonly url: string;
  close(): Promise<void>;
}

const SHOP = new URL('../../examples/shop/', import.meta.url);
const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const SERVICE_DEADLINE_MS = 15_000;

/** Adds `sessionwise demo`: runs the shop, the service and an embedded Redis until a signal stops it. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('run the demo shop, with an embedded Redis and the service')
    .option('--redis <url>', 'use this Redis and start none (REDIS_URL is not read)')
    .option('--port <port>', 'where the shop listens', '3379')
    .option('--host <host>', 'on which address', '127.0.0.1')
    .option('--namespace <ns>', 'the store: its data and channels', 'sw')
    .option('--data-dir <folder>', 'where the embedded Redis and the generated secret live', DEFAULT_DATA_DIR)
    .option(
      '--dashboard-port <port>',
      'where the dashboard listens, on 127.0.0.1 (default: the port behind the shop’s)',
    )
    .option('--without-service', 'start no service, to see degraded mode', false)
    .action(async (flags: Omit<DemoFlags, 'service'> & { withoutService: boolean }) =>
      runDemo({ ...flags, service: !flags.withoutService }),
    );
}

async function runDemo(flags: DemoFlags): Promise<void> {
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port > 65535)
    throw new UsageError(`--port ${flags.port} cannot be used: give 1 to 65535.`);
  const startShop = await loadShop();
  let redis: EmbeddedRedis | undefined;
  let service: ChildProcess | undefined;
  let shop: Shop | undefined;
  let dashboard: ServedDashboard | undefined;
  const stopping = untilStopped();
  try {
    redis = flags.redis === undefined ? await startEmbeddedRedis({ dataDir: flags.dataDir }) : undefined;
    const url = flags.redis ?? redis!.url;
    if (flags.service) service = await startServiceProcess(url, flags);
    shop = await startShop({
      redis: url,
      port,
      host: flags.host,
      namespace: flags.namespace,
      cookieSecret: cookieSecret(flags.dataDir),
      demo: true,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
      throw new DemoError(`The shop cannot listen on ${flags.host}:${port} (${error.code}): give another --port.`);
    });
    dashboard = await startDemoDashboard(url, configFile(), shop.url, flags);
    console.log(welcome(shop.url, dashboard.url, service, redis, flags));
    await stopping.why;
  } finally {
    await dashboard?.close();
    await shop?.close();
    await stopChild(service);
    await redis?.stop();
    stopping.release();
  }
}

type StartShop = (options: {
  redis: string;
  port: number;
  host: string;
  namespace: string;
  cookieSecret: string;
  demo: boolean;
}) => Promise<Shop>;

async function loadShop(): Promise<StartShop> {
  try {
    return ((await import(new URL('shop.js', SHOP).href)) as { startShop: StartShop }).startShop;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DemoError('The demo shop needs more than the package: npm install express express-session', {
      cause: error,
    });
  }
}

async function startServiceProcess(redis: string, flags: DemoFlags): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'serve',
      '--redis',
      redis,
      '--namespace',
      flags.namespace,
      '--data-dir',
      flags.dataDir,
      '--config',
      configFile(),
    ],
    // Over the IPC channel the service reports that it is ready; the closing channel tells it that this process ended.
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  const started = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new DemoError(`The service ended with code ${code} while it started.`)));
  });
  await withDeadline(started, SERVICE_DEADLINE_MS, () => {
    throw new DemoError('The service did not become ready in time.');
  }).catch(async (error) => {
    await stopChild(child);
    throw error;
  });
  child.once('exit', (code, signal) => {
    if (child.killed) return;
    console.log(
      `The service has ended (${signal ?? `code ${code}`}); the shop goes on without it. Bring it back with:\n  ${serveCommand(flags)}`,
    );
  });
  return child;
}

async function stopChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
  await ended;
  clearTimeout(timer);
}

function cookieSecret(dataDir: string): string {
  const file = join(dataDir, 'cookie-secret');
  if (!existsSync(file)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8');
}

function configFile(): string {
  return relative(process.cwd(), fileURLToPath(new URL('sessionwise.json', SHOP)));
}

function serveCommand({ redis, namespace, dataDir }: DemoFlags): string {
  return [
    'npx sessionwise serve',
    redis === undefined ? '' : `--redis ${redis}`,
    namespace === 'sw' ? '' : `--namespace ${namespace}`,
    dataDir === DEFAULT_DATA_DIR ? '' : `--data-dir ${dataDir}`,
    `--config ${configFile()}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function welcome(
  url: string,
  dashboard: string,
  service: ChildProcess | undefined,
  redis: EmbeddedRedis | undefined,
  flags: DemoFlags,
): string {
  return [
    '',
    `  The shop is open: ${url}`,
    `  The dashboard is open: ${dashboard}`,
    redis ? `  Redis ${redis.version} (embedded, process ${redis.pid}): ${redis.url}` : `  Redis: ${flags.redis}`,
    service
      ? `  The service is process ${service.pid}. Kill it (kill -9 ${service.pid}) and look again: pages degrade, none fails.`
      : '  No service runs: pages are degraded. Bring them to life from a second terminal:',
    ...(service ? [] : [`    ${serveCommand(flags)}`]),
    '  Ctrl-C ends it all.',
    '',
  ].join('\n');
}
