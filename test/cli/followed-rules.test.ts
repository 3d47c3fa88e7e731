import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForeignClient } from '../support/foreign-client.ts';
import { ended, startCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* `sessionwise serve` with rules that change while it runs. */

const server = useRedis();
let folder: string;
let foreign: ForeignClient;
let serving: ChildProcess & { output(): string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sw-rules-'));
  foreign = await ForeignClient.connect(server.url);
});
afterEach(async () => {
  serving?.kill('SIGTERM');
  if (serving) await ended(serving);
  await foreign.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, content: unknown): string => {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};
const rule = (name: string) => ({ suggestions: [{ name, when: { not: { views: 1 } }, suggest: name }] });

async function serve(config: string): Promise<void> {
  serving = startCli(['serve', '--redis', server.url, '--config', config], {
    env: { SESSIONWISE_SECRET: 'a secret of the tests, long enough' },
  });
  await waitUntil('it serves', async () => (await foreign.publish('combo', 'a', '_1', '')) === 1);
}

const suggested = async (): Promise<string[]> =>
  ((await foreign.ask('combo', 'stranger', '')) as { rule: string }[]).map((each) => each.rule);
const until = (what: string, name: string) => waitUntil(what, async () => (await suggested()).includes(name));
const logged = (what: string, text: string) => waitUntil(what, async () => serving.output().includes(text));

describe('sessionwise serve', () => {
  it('reads the rules of its configuration anew when the file changes', async () => {
    const config = write('config.json', rule('first'));
    await serve(config);
    expect(await suggested()).toEqual(['first']);
    write('config.json', rule('second'));
    await until('the second rule holds', 'second');
    expect(await suggested()).toEqual(['second']);
    // As a deployment does: another file takes its place.
    renameSync(write('next.json', rule('third')), config);
    await until('the third rule holds', 'third');
    await logged('it says so', '"suggestions":1');
  }, 30_000);

  it('keeps the old rules where the new ones cannot be used, and says the place', async () => {
    const config = write('config.json', { rules: 'rules.json' });
    write('rules.json', rule('first'));
    await serve(config);
    write('rules.json', { suggestions: [{ name: 'x', when: { all: [{ event: '' }] }, suggest: 'y' }] });
    await logged('it says the place', 'suggestions[0].when.all[0].event cannot be used');
    expect(await suggested()).toEqual(['first']);
    write('rules.json', '{ "suggestions": [');
    await logged('it says that it is no JSON', 'rules.json is not JSON');
    expect(await suggested()).toEqual(['first']);
    rmSync(join(folder, 'rules.json'));
    await logged('it says that it is gone', 'ENOENT');
    expect(await suggested()).toEqual(['first']);
    write('rules.json', rule('second'));
    await until('the second rule holds', 'second');
    // The configuration names another file from now on.
    write('other.json', rule('other'));
    write('config.json', { rules: 'other.json' });
    await until('the other rule holds', 'other');
    write('other.json', rule('changed'));
    await until('the changed rule holds', 'changed');
    // Another one, which is wrong at first.
    write('wrong.json', { suggestions: [{ name: 'x' }] });
    write('config.json', { rules: 'wrong.json' });
    await logged('it says that the file is wrong', 'wrong.json: suggestions[0]');
    write('wrong.json', rule('righted'));
    await until('the righted rule holds', 'righted');
  }, 30_000);

  it('reads them on SIGHUP', async () => {
    await serve(write('config.json', rule('first')));
    serving.kill('SIGHUP');
    await logged('it has read them', 'New rules.');
    write('config.json', rule('second'));
    serving.kill('SIGHUP');
    await until('the second rule holds', 'second');
    expect(serving.exitCode).toBeNull();
  }, 30_000);
});
