import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { personOf } from '../../src/protocol/index.ts';
import { type Rules, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const RULES: Rules = {
  clusters: { tv: ['/tv/*'] },
  segments: { buyer: { event: 'bought' } },
  suggestions: [
    {
      name: 'mount',
      when: { all: [{ cluster: 'tv', atLeast: 3 }, { not: { segment: 'buyer' } }] },
      suggest: 'A mount',
      show: { atMost: 1 },
    },
    { name: 'vip', when: { any: [{ group: 'vip' }, { identified: true }] }, suggest: 'A chair', priority: 1 },
  ],
};

const server = useRedis({ eachTest: 'kept' });
let folder: string;
let service: Service;
let foreign: ForeignClient;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sw-explain-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(RULES));
  service = await startService({ redis: server.url, secret: SECRET, ...RULES });
  foreign = await ForeignClient.connect(server.url);
  await foreign.ask('pageview', 'visitor', '/tv/1');
  await foreign.ask('pageview', 'visitor', '/tv/2');
});
afterAll(async () => {
  await foreign.close();
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

const explain = (...args: string[]) =>
  runCli(['explain', '--redis', server.url, '--config', join(folder, 'config.json'), ...args], {
    env: { SESSIONWISE_SECRET: SECRET },
  });

describe('sessionwise explain', () => {
  it('says why a rule suggests nothing, and by how much', async () => {
    const { code, stdout } = await explain('visitor', '--rule', 'mount');
    expect(stdout).toBe(`Session visitor

mount: not suggested
  no   1 of 2 hold, all must
    no   viewed 2 of 3 pages of /tv/*
    yes  must not hold, and does not
      no   is not in the segment buyer

segment buyer: does not hold
  no   bought happened 0 of 1 times
`);
    expect(code).toBe(0);
  }, 30_000);

  it('says the same as the service, of a page that it is told about', async () => {
    const { stdout } = await explain('visitor', '--here', '/tv/3?x', '--group', 'vip', '--json');
    const { known, session, ...explained } = JSON.parse(stdout);
    expect({ known, session }).toEqual({ known: true, session: 'visitor' });
    const asked = { explain: true, here: '/tv/3', groups: ['vip'] };
    expect(explained).toEqual(await foreign.ask('combo', 'visitor', asked));
    expect(explained.suggestions.map(({ rule }: { rule: string }) => rule)).toEqual(['vip', 'mount']);
  }, 30_000);

  it('says why a rule that holds is not shown, and changes nothing', async () => {
    await foreign.ask('pageview', 'shown', '/tv/1');
    await foreign.ask('mark-suggestions', 'shown', { rules: ['mount'], as: 'shown' });
    await foreign.ask('pageview', 'shown', '/tv/2');
    const { stdout } = await explain('shown', '--here', '/tv/3');
    expect(stdout).toContain('mount: not suggested, although it holds: was shown once, 1 at most\n');
    expect(await foreign.ask('session-analytics', 'shown', '')).toMatchObject({ totalPages: 2 });
  }, 30_000);

  it('explains to a user, and says where nothing is known', async () => {
    await foreign.ask('pageview', personOf('ada'), '/tv/1');
    const ada = await explain('--user', 'ada', '--rule', 'vip');
    expect(ada.stdout).toContain('User ada\n\nvip: suggested\n');
    const nobody = await explain('nobody');
    expect(nobody.stdout).toContain('Session nobody: nothing is known. This is what a stranger is suggested.');
    expect(nobody.code).toBe(0);
  }, 30_000);

  it.each<[string[], RegExp]>([
    [['visitor', '--rule', 'mont'], /--rule mont: there is no such rule in .*; known are mount, vip\./],
    [['visitor', '--group', 'a b'], /group .* cannot be used/],
    [['visitor', '--here', 'http://['], /not a valid URL/],
    [['visitor', '--user', 'ada'], /and not both/],
    [[], /Give the public id/],
  ])(
    'refuses %j with one sentence',
    async (args, sentence) => {
      const { code, stderr } = await explain(...args);
      expect(stderr).toMatch(sentence);
      expect(code).toBe(2);
    },
    30_000,
  );

  it('needs the rules', async () => {
    const { code, stderr } = await runCli(['explain', 'visitor', '--redis', server.url], {
      env: { SESSIONWISE_SECRET: SECRET },
    });
    expect(stderr).toMatch(/needs the rules: give --config FILE/);
    expect(code).toBe(2);
  }, 30_000);
});
