import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { ServedDashboard } from '../dashboard/index.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../redis/embedded/index.ts';
import { type ErasedSubject, forgetSubject, type Subject } from '../service/index.ts';
import { startDemoDashboard } from './demo-dashboard.ts';
import { DemoError } from './demo-error.ts';
import { DemoService } from './demo-service.ts';
import { DEFAULT_DATA_DIR } from './namespace-options.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface DemoFlags {
  readonly redis?: string;
  readonly port: string;
  readonly host: string;
  readonly namespace: string;
  readonly dataDir: string;
  readonly dashboardPort?: string;
  readonly service: boolean;
  readonly deadline: string;
}

interface Shop {
  readonly url: string;
  /** Where the panel is; absent where others could reach it. */
  readonly demoUrl?: string;
  close(): Promise<void>;
}

const SHOP = new URL('../../examples/shop/', import.meta.url);

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
    .option('--deadline <ms>', 'how long a page may wait for the service', '100')
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
  const deadlineMs = Number(flags.deadline);
  if (!/^[1-9]\d{0,4}$/.test(flags.deadline))
    throw new UsageError(`--deadline ${flags.deadline} cannot be used: give 1 to 99999 milliseconds.`);
  const example = await loadExample();
  let redis: EmbeddedRedis | undefined;
  let service: DemoService | undefined;
  let shop: Shop | undefined;
  let dashboard: ServedDashboard | undefined;
  let isStopping = false;
  const stopping = untilStopped();
  try {
    redis = flags.redis === undefined ? await startEmbeddedRedis({ dataDir: flags.dataDir }) : undefined;
    const { namespace, dataDir, host } = flags;
    const there = { redis: flags.redis ?? redis!.url, namespace, dataDir };
    const args = ['--redis', there.redis, '--namespace', namespace, '--data-dir', dataDir, '--config', configFile()];
    service = new DemoService(args, (why) => {
      if (isStopping) return;
      console.log(
        `The service has ended (${why}); the shop goes on without it. Bring it back with:\n  ${serveCommand(flags)}`,
      );
    });
    if (flags.service) await service.start();
    const options = { redis: there.redis, namespace, port, host, deadlineMs, cookieSecret: cookieSecret(dataDir) };
    const opening = example.isLoopback(host)
      ? example.startDemo({
          ...options,
          service,
          forget: (subject) => withNamespace(there, (opened) => forgetSubject(opened, subject)),
        })
      : example.startShop({ ...options, demo: true });
    shop = await opening.catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
      throw new DemoError(`The shop cannot listen on ${host}:${port} (${error.code}): give another --port.`);
    });
    dashboard = await startDemoDashboard(there.redis, configFile(), shop.url, flags);
    console.log(welcome(shop, dashboard.url, service, redis, flags));
    await stopping.why;
  } finally {
    isStopping = true;
    await dashboard?.close();
    await shop?.close();
    await service?.stop();
    await redis?.stop();
    stopping.release();
  }
}

interface ShopOptions {
  readonly redis: string;
  readonly port: number;
  readonly host: string;
  readonly namespace: string;
  readonly cookieSecret: string;
  readonly deadlineMs: number;
}

/** What the example exports. */
interface Example {
  startShop(options: ShopOptions & { readonly demo: boolean }): Promise<Shop>;
  startDemo(
    options: ShopOptions & {
      readonly service: DemoService;
      readonly forget: (subject: Subject) => Promise<ErasedSubject>;
    },
  ): Promise<Shop>;
  isLoopback(host: string): boolean;
}

async function loadExample(): Promise<Example> {
  const load = async <Part extends keyof Example>(file: string): Promise<Pick<Example, Part>> =>
    (await import(new URL(file, SHOP).href)) as Pick<Example, Part>;
  try {
    const { startShop } = await load<'startShop'>('shop.js');
    const { startDemo } = await load<'startDemo'>('demo/start-demo.js');
    const { isLoopback } = await load<'isLoopback'>('demo/loopback.js');
    return { startShop, startDemo, isLoopback };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DemoError('The demo shop needs more than the package: npm install express express-session', {
      cause: error,
    });
  }
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
  shop: Shop,
  dashboard: string,
  service: DemoService,
  redis: EmbeddedRedis | undefined,
  flags: DemoFlags,
): string {
  const { pid } = service;
  const where =
    shop.demoUrl === undefined
      ? [`  The shop is open: ${shop.url}`, '  The panel that explains it is for this machine alone: leave --host out.']
      : [
          `  Start here: ${shop.demoUrl}`,
          '  Press "Open the television", then follow the five steps: the panel shows what each page asked and was told.',
          '',
          `  The shop is open: ${shop.url} (the same without the panel)`,
        ];
  return [
    '',
    ...where,
    `  The dashboard is open: ${dashboard}`,
    redis ? `  Redis ${redis.version} (embedded, process ${redis.pid}): ${redis.url}` : `  Redis: ${flags.redis}`,
    pid === undefined
      ? '  No service runs: pages are degraded. Bring them to life in the panel, or from a second terminal:'
      : `  The service is process ${pid}. Switch it off in the panel, or kill it (kill -9 ${pid}): pages degrade, none fails.`,
    ...(pid === undefined ? [`    ${serveCommand(flags)}`] : []),
    '  Ctrl-C ends it all.',
    '',
  ].join('\n');
}
