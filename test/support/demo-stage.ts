import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Frame, Page } from 'playwright-core';
import { ended, startCli } from './run-cli.ts';
import { SHOP_SECRET, type Shop } from './shop-stage.ts';
import { waitUntil } from './wait-until.ts';

const START_DEADLINE_MS = 30_000;

/** A browser that is no robot: headless Chromium says by its name that it is one. */
export const AS_A_PERSON: BrowserContextOptions = {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
};

/** `sessionwise demo` as a process, with the service that it starts and stops. */
export interface Demo {
  readonly url: string;
  readonly demoUrl: string;
  output(): string;
  stop(): Promise<void>;
}

/** Starts the demo on free ports, in a folder of its own. A machine under load must not make a page degraded there.
 *  @throws Error with what it printed where it does not open. */
export async function openDemo(redis: string): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
  const child: ChildProcess & { output(): string } = startCli(
    ['demo', '--port', '0', '--deadline', '5000', '--redis', redis],
    {
      cwd: folder,
      env: { SESSIONWISE_SECRET: SHOP_SECRET },
    },
  );
  const found = (what: RegExp): string | undefined => what.exec(child.output())?.[1];
  const isSaid = (): boolean => child.output().includes('Ctrl-C') || child.exitCode !== null;
  await waitUntil('the demo opens', isSaid, START_DEADLINE_MS);
  const url = found(/The shop is open: (\S+)/);
  if (url === undefined) throw new Error(child.output());
  return {
    url,
    demoUrl: found(/Start here: (\S+)/) ?? '',
    output: () => child.output(),
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface PanelledShop extends Shop {
  readonly demoUrl: string;
  readonly secondUrl: string;
}

/** The shop with its panel in this process, on free ports: without the switch of the service. */
export async function startPanelledShop(options: {
  readonly redis: string;
  readonly deadlineMs?: number;
  readonly host?: string;
}): Promise<PanelledShop> {
  const file = new URL('../../examples/shop/demo/start-demo.js', import.meta.url).href;
  const { startDemo } = (await import(file)) as { startDemo(given: object): Promise<PanelledShop> };
  return startDemo({ port: 0, ...options });
}

/** The panel of an open page of the demo, and the shop's frames beside it. */
export class Panel {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** The frame of one of the two visitors. */
  async frame(visitor: 'first' | 'second' = 'first'): Promise<Frame> {
    const element = await this.page.locator(`[data-frame="${visitor}"]`).elementHandle();
    return (await element!.contentFrame())!;
  }

  /** Waits until the panel shows all of a page. */
  async shows(path: string, visitor: 'first' | 'second' = 'first'): Promise<void> {
    const about = `[data-about][data-visitor="${visitor}"][data-path="${path}"][data-whole="true"]`;
    await this.page.locator(about).waitFor({ state: 'attached' });
  }

  /** Opens a page of the shop in a frame, and waits until the panel shows it, its view counted. */
  async open(path: string, visitor: 'first' | 'second' = 'first'): Promise<void> {
    const frame = await this.frame(visitor);
    await frame.goto(new URL(path, frame.url()).href);
    await this.shows(path, visitor);
    await this.page.locator('[data-about][data-counted="true"]').waitFor({ state: 'attached' });
  }

  /** What the panel says of a call, as one line. */
  async call(name: string): Promise<string> {
    return (await this.page.locator(`[data-call="${name}"]`).innerText()).replace(/\s+/g, ' ');
  }

  /** Presses a button of the panel, and returns what it says then. */
  async press(deed: string, says: RegExp): Promise<string> {
    await this.page.locator(`[data-more] [data-press="${deed}"]`).click();
    const said = this.page.locator('[data-said]', { hasText: says });
    await said.waitFor();
    return said.innerText();
  }
}
