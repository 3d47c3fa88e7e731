import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { RULES_INTERVAL_MS } from '../../src/service/rules/rule-counting.ts';
import { metricOf } from '../support/metric-of.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const RULES = {
  suggestions: [
    { name: 'cable', when: { segment: 'reader' }, suggest: 'A cable' },
    { name: 'case', when: { all: [{ seen: '/c' }, { segment: 'buyer' }] }, suggest: 'A case' },
  ],
  segments: { reader: { seen: '/r' }, buyer: { event: 'bought' }, nobody: { seen: '/nowhere' } },
};
const DAY_MS = 86_400_000;
const server = useRedis();
let proxy: RedisProxy;
let service: Service;
let client: SessionClient;

beforeEach(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({ redis: proxy.url, secret: SECRET, ...RULES, transport: 'inline' });
  client = new SessionClient({ transport: service.inline, deadlineMs: 20_000 });
});
afterEach(async () => {
  await client.close();
  await service.stop();
  await proxy.close();
});

const mark = (visitor: string, as: 'shown' | 'taken' | 'dismissed', ...rules: string[]) =>
  client.request('mark-suggestions', visitor, { rules, as });

/** What `sessionwise rules counts` prints. */
async function counts(...flags: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-counts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(RULES));
  const args = ['rules', 'counts', '--redis', server.url, '--config', 'config.json', ...flags];
  const result = await runCli(args, { cwd: folder, env: { SESSIONWISE_SECRET: SECRET } });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
}

/** Sees to it that four readers and two buyers are known, and asked about. */
async function visit(): Promise<void> {
  for (const visitor of ['ada', 'bob', 'eve', personOf('joe')]) await client.request('pageview', visitor, '/r');
  for (const visitor of ['ada', 'zoe']) await client.request('track', visitor, { event: 'bought' });
  await client.request('pageview', 'zoe', '/c');
  for (const _ of [1, 2]) {
    for (const visitor of ['ada', 'bob', 'eve', personOf('joe'), 'zoe']) await client.request('combo', visitor, '');
    await client.request('segments', 'ada', '');
  }
}

describe('the counts of rules', () => {
  it('say how often each suggestion was marked, and how many are in each segment', async () => {
    await visit();
    await mark('ada', 'shown', 'cable', 'case');
    // Named twice it was shown once.
    await mark('bob', 'shown', 'cable', 'no-such-rule', 'cable');
    await mark('bob', 'taken', 'cable');
    await mark('eve', 'dismissed', 'case');
    const marks = (rule: string, as: string) => metricOf(service.metrics.suggestionMarks, { rule, as });
    expect(await Promise.all(['shown', 'taken', 'dismissed'].map((as) => marks('cable', as)))).toEqual([2, 1, 0]);
    expect(await Promise.all(['shown', 'taken', 'dismissed'].map((as) => marks('case', as)))).toEqual([1, 0, 1]);
    expect(JSON.stringify(await service.metrics.suggestionMarks.samples())).not.toContain('no-such-rule');
    await service.stop();
    expect(await counts()).toBe(`\
cable: fired 8, shown 2, taken 1, dismissed 0
case: fired 2, shown 1, taken 0, dismissed 1
segment reader: about 4 today, 0 yesterday (UTC)
segment buyer: about 2 today, 0 yesterday (UTC)
segment nobody: about 0 today, 0 yesterday (UTC)
`);
    expect(JSON.parse(await counts('--json'))).toEqual({
      suggestions: [
        { rule: 'cable', fired: 8, shown: 2, taken: 1, dismissed: 0 },
        { rule: 'case', fired: 2, shown: 1, taken: 0, dismissed: 1 },
      ],
      segments: [
        { segment: 'reader', today: 4, yesterday: 0 },
        { segment: 'buyer', today: 2, yesterday: 0 },
        { segment: 'nobody', today: 0, yesterday: 0 },
      ],
    });
  });

  it('are written by themselves, behind the requests, and add up over instances and starts', async () => {
    proxy.reset();
    await visit();
    await mark('ada', 'shown', 'cable');
    expect(proxy.commands('sessionwise-service').flat()).not.toContain('PFADD');
    const segments = (segment: string) => metricOf(service.metrics.segmentSubjects, { segment });
    await waitUntil(
      'they are written',
      async () => (await segments('reader')) === 4 && (await segments('buyer')) === 2,
      3 * RULES_INTERVAL_MS,
    );
    const other = await startService({ redis: server.url, secret: SECRET, ...RULES, transport: 'inline' });
    const asking = new SessionClient({ transport: other.inline, deadlineMs: 20_000 });
    await asking.request('pageview', 'new', '/r');
    for (const visitor of ['ada', 'new']) await asking.request('combo', visitor, '');
    await asking.request('mark-suggestions', 'ada', { rules: ['cable'], as: 'shown' });
    await asking.close();
    await other.stop();
    expect(await segments('reader')).toBe(5);
    // This instance knows its own marks only, as each does.
    expect(await metricOf(service.metrics.suggestionMarks, { rule: 'cable', as: 'shown' })).toBe(1);
    expect(JSON.parse(await counts('--json')).suggestions[0]).toMatchObject({ rule: 'cable', fired: 10, shown: 2 });
  });

  it('name neither subjects nor rules in Redis, and those of segments expire after a week', async () => {
    await visit();
    await mark('ada', 'shown', 'cable', 'no-such-rule');
    await service.stop();
    const keys = await server.redis.command<string[]>('KEYS', '*@*');
    const held = keys.filter((key) => key.includes('@segment:'));
    expect(held).toHaveLength(2);
    for (const key of held) {
      expect(key).toMatch(/^sw:\{[^}]+\}:@segment:\d+:\d+$/);
      const left = await server.redis.command<number>('PTTL', key);
      expect(left).toBeGreaterThan(6 * DAY_MS - 60_000);
      expect(left).toBeLessThanOrEqual(7 * DAY_MS);
    }
    const values = await Promise.all(held.map((key) => server.redis.command<string>('GET', key)));
    const marks = await server.redis.command<Record<string, string>>('HGETALL', 'sw:@rules');
    expect(await server.redis.command<number>('PTTL', 'sw:@rules')).toBeGreaterThan(399 * DAY_MS);
    // The two suggestions fired, and one was marked.
    expect(
      Object.keys(marks)
        .map((field) => field.replace(/^\d+:/, ''))
        .sort(),
    ).toEqual(['fired', 'fired', 'shown']);
    const all = JSON.stringify([keys, values, marks]);
    for (const name of ['cable', 'reader', 'buyer', 'ada', 'bob']) expect(all).not.toContain(name);
  });

  it('that Redis does not take are lost, and said so; subjects are counted when they come again', async () => {
    const log = new RecordingLog();
    const other = await startService({ redis: server.url, secret: SECRET, ...RULES, transport: 'inline', log });
    const asking = new SessionClient({ transport: other.inline, deadlineMs: 20_000 });
    const ask = async (): Promise<void> => {
      expect(await asking.request('segments', 'ada', '')).toMatchObject({ reader: true });
      expect(await asking.request('mark-suggestions', 'ada', { rules: ['cable'], as: 'shown' })).toBeDefined();
    };
    await asking.request('pageview', 'ada', '/r');
    await server.redis.command('SET', 'sw:@rules', 'of another type');
    await ask();
    await waitUntil(
      'it is said',
      () => log.with('Counts of rules could not be written').length === 1,
      3 * RULES_INTERVAL_MS,
    );
    await server.redis.command('DEL', 'sw:@rules');
    await ask();
    await asking.close();
    await other.stop();
    const { suggestions, segments } = JSON.parse(await counts('--json'));
    expect([suggestions[0].shown, segments[0].today]).toEqual([1, 1]);
  });

  it('of rules that are replaced go on under their names, and those of others are told no more', async () => {
    await mark('ada', 'shown', 'cable', 'case');
    service.setRules({
      ...RULES,
      suggestions: RULES.suggestions.slice(0, 1),
      segments: { reader: RULES.segments.reader },
    });
    await mark('bob', 'shown', 'cable', 'case');
    const values = await service.metrics.suggestionMarks.samples();
    expect(values.filter(({ value }) => value > 0)).toMatchObject([
      { labels: { rule: 'cable', as: 'shown' }, value: 2 },
    ]);
    const segments = await service.metrics.segmentSubjects.samples();
    expect(segments.map(({ labels }) => labels.segment)).toEqual(['reader']);
  });
});
