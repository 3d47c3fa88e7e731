import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DashboardProcess, startDashboardProcess } from './dashboard-process.ts';
import { MAIN } from './run-cli.ts';
import { kill, openShop, SHOP_SECRET, type Shop } from './shop-stage.ts';

const SHOP_RULES = new URL('../../examples/shop/sessionwise.json', import.meta.url);

/** The shop, a service that follows its rules in a file, and a dashboard over both, each as a user starts it. */
export interface DashboardStage {
  readonly shop: Shop;
  readonly dashboard: DashboardProcess;
  /** The path of a file beside the configuration. */
  pathOf(name: string): string;
  close(): Promise<void>;
}

/** Starts them on a Redis. `drafts`: the contents of the file of drafts. */
export async function openDashboardStage(redis: string, drafts: unknown): Promise<DashboardStage> {
  const folder = mkdtempSync(join(tmpdir(), 'sessionwise-dashboard-'));
  const pathOf = (name: string): string => join(folder, name);
  const config = pathOf('sessionwise.json');
  writeFileSync(pathOf('rules.json'), readFileSync(SHOP_RULES));
  writeFileSync(pathOf('drafts.json'), JSON.stringify(drafts));
  writeFileSync(config, '{"rules":"rules.json"}');
  const service: ChildProcess = spawn(
    process.execPath,
    [MAIN, 'serve', '--redis', redis, '--config', config, '--log-level', 'error'],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, SESSIONWISE_SECRET: SHOP_SECRET } },
  );
  await once(service, 'message');
  const shop = await openShop({ redis, deadlineMs: 5_000, demo: true });
  const dashboard = await startDashboardProcess(redis, SHOP_SECRET, ['--config', config]);
  return {
    shop,
    dashboard,
    pathOf,
    async close() {
      await dashboard.stop();
      await shop.close();
      await kill(service);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
