// Takes docs/pictures/ from the real thing: runs `sessionwise demo` on an embedded Redis of its own, is a visitor with
// Chromium, and keeps what the browser shows. Needs a build, and Chromium (CHROMIUM_PATH names another one).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const MOST_BYTES = 200_000;
const DEADLINE_MS = 60_000;
// Chromium without a window calls itself a robot, and robots have no visitor.
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sw-pictures-'));
const pictures = join(root, 'docs/pictures');

const demo = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'demo', '--port', '0', '--data-dir', folder], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, REDIS_URL: '', SESSIONWISE_SECRET: 'the secret of the pictures: 32 characters' },
});
const ended = new Promise((resolve) => demo.once('exit', resolve));
let browser;
try {
  const text = await untilOpen();
  const shop = /shop is open: (http\S+)/.exec(text)[1];
  const dashboard = /dashboard[^\n]*?(http\S+)/i.exec(text)?.[1];
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  mkdirSync(pictures, { recursive: true });
  const page = await browser.newPage({
    userAgent: USER_AGENT,
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
  });
  for (const path of ['/', '/added/tv', '/added/tv-mount', '/']) await page.goto(shop + path);
  await take(page, 'shop');
  await page.goto(`${shop}/confirm-purchase`);
  await take(page, 'suggestion');
  const start = /Start here: (http\S+)/.exec(text)?.[1];
  if (start !== undefined) {
    await page.goto(start, { waitUntil: 'networkidle' });
    await take(page, 'demo');
  }
  if (dashboard !== undefined) {
    await visitAsOthers(shop);
    await page.goto(dashboard);
    await page.getByRole('heading', { level: 1 }).waitFor();
    // The figures come with the first event, behind the page.
    await page.getByRole('heading', { level: 2 }).first().waitFor();
    await take(page, 'dashboard');
  }
} finally {
  await browser?.close();
  demo.kill('SIGINT');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

function untilOpen() {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`The demo did not open in time:\n${text}`)), DEADLINE_MS);
    demo.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
      if (!text.includes('Ctrl-C')) return;
      clearTimeout(late);
      resolve(text);
    });
    demo.once('exit', (code) => reject(new Error(`The demo ended with ${code}:\n${text}`)));
  });
}

/** Visitors beside the one of the pictures: each has a context, and so cookies, of its own. */
async function visitAsOthers(shop) {
  const ways = [['/', '/added/lamp'], ['/', '/added/tv', '/cart'], ['/', '/added/chair', '/'], ['/']];
  for (const paths of ways) {
    const context = await browser.newContext({ userAgent: USER_AGENT });
    const page = await context.newPage();
    for (const path of paths) await page.goto(shop + path);
    await context.close();
  }
}

async function take(page, name) {
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new Error(`${name}.png has ${size} bytes, and may have ${MOST_BYTES}.`);
  console.log(`docs/pictures/${name}.png: ${size} bytes`);
}
