import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ForeignClient } from '../../support/foreign-client.ts';
import { ended, runCli, startCli } from '../../support/run-cli.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* From a file of baskets to a suggestion on a page, while the service runs. */

const server = useRedis();

it('a draft of discover that is approved is suggested by the service that runs, and not before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sw-approve-'));
  const foreign = await ForeignClient.connect(server.url);
  writeFileSync(join(folder, 'rules.json'), '{}');
  writeFileSync(join(folder, 'config.json'), '{"rules":"rules.json"}');
  writeFileSync(join(folder, 'baskets.csv'), `${'/tv,/cable\n'.repeat(6)}${'/radio\n'.repeat(4)}`);
  const run = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await runCli(args, { cwd: folder });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  };
  const serving = startCli(['serve', '--redis', server.url, '--config', 'config.json'], {
    cwd: folder,
    env: { SESSIONWISE_SECRET: 'a secret of the tests, long enough' },
  });
  onTestFinished(async () => {
    serving.kill('SIGTERM');
    await ended(serving);
    await foreign.close();
    rmSync(folder, { recursive: true });
  });
  await waitUntil('it serves', async () => (await foreign.publish('combo', 'a', '_1', '')) === 1);
  await foreign.ask('pageview', 'visitor', '/tv');
  await foreign.ask('pageview', 'other', '/cable');
  await foreign.ask('pageview', 'other', '/tv');

  await run('discover', 'baskets.csv', '--out', 'drafts.json');
  expect(await foreign.ask('combo', 'visitor', '')).toEqual([]);
  await run('rules', 'approve', 'tv-cable', '--config', 'config.json', '--reason', 'Fits your television.');
  await waitUntil(
    'the rule is there',
    async () => ((await foreign.ask('combo', 'visitor', '')) as unknown[]).length > 0,
  );
  expect(await foreign.ask('combo', 'visitor', '')).toEqual([
    { rule: 'tv-cable', suggest: '/cable', because: ['/tv'], reason: 'Fits your television.' },
  ]);
  expect(await foreign.ask('combo', 'other', '')).toEqual([]); // has seen the cable
}, 60_000);
