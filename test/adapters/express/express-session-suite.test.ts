import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useRedis } from '../../support/use-redis.ts';

/* express-session's own suite, with a SessionStore wherever it uses its memory store. The suite is not in its package:
 * SESSIONWISE_TEST_EXPRESS_SESSION names a checkout of its repository with its dependencies installed. */

const CHECKOUT = process.env.SESSIONWISE_TEST_EXPRESS_SESSION;
const DIST = join(import.meta.dirname, '../../../dist/adapters/express/index.js');
const run = promisify(execFile);

if (!CHECKOUT) {
  console.warn("express-session's own suite is not run: SESSIONWISE_TEST_EXPRESS_SESSION names no checkout of it.");
}

const redis = useRedis({ eachTest: 'kept' });
let folder: string;

beforeAll(async () => {
  if (!CHECKOUT) return;
  folder = await mkdtemp(join(tmpdir(), 'sw-suite-'));
  for (const part of ['index.js', 'package.json', 'session', 'test']) {
    await cp(join(CHECKOUT, part), join(folder, part), { recursive: true });
  }
  await symlink(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  // Each store of the suite begins empty.
  await writeFile(
    join(folder, 'session/memory.js'),
    `const { SessionStore } = require(${JSON.stringify(DIST)});
let stores = 0;
module.exports = class extends SessionStore {
  constructor() {
    super({ redis: ${JSON.stringify(redis.url)}, namespace: 'suite' + process.pid + '-' + ++stores, sweep: false, ...JSON.parse(process.env.STORE_OPTIONS) });
  }
};`,
  );
});
afterAll(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
});

interface Report {
  readonly stats: { readonly passes: number };
  readonly failures: readonly { readonly fullTitle: string }[];
}

/** Runs the suite with stores of these options. */
async function runSuite(options: object): Promise<Report> {
  const mocha = createRequire(pathToFileURL(join(folder, 'package.json'))).resolve('mocha/bin/mocha.js');
  const report = join(folder, 'report.json');
  const args = [
    mocha,
    '--require',
    'test/support/env',
    '--exit',
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
  ];
  const env = { ...process.env, STORE_OPTIONS: JSON.stringify(options) };
  // It exits with the number of its failures.
  await run(process.execPath, [...args, 'test/'], { cwd: folder, env, timeout: 120_000 }).catch(() => undefined);
  return JSON.parse(await readFile(report, 'utf8')) as Report;
}

describe.skipIf(!CHECKOUT)("express-session's own suite", () => {
  it('passes whole where each request renews its session', { timeout: 150_000 }, async () => {
    const { stats, failures } = await runSuite({ touchEveryMs: 0 });
    expect(failures.map(({ fullTitle }) => fullTitle)).toEqual([]);
    expect(stats.passes).toBe(160);
  });

  it('passes by default but for the one test of a touch with each request', { timeout: 150_000 }, async () => {
    const { stats, failures } = await runSuite({});
    expect(failures.map(({ fullTitle }) => fullTitle)).toEqual([
      'session() req.session .touch() should reset session expiration',
    ]);
    expect(stats.passes).toBe(159);
  });
});
