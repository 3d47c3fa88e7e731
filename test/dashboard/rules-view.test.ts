import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RulesData } from '../../src/dashboard/rules/rules-data.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { useDashboard } from '../support/use-dashboard.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const EVIL = '"><script>alert(1)</script>';
const RULES = {
  segments: { reader: { seen: '/r' } },
  suggestions: [{ name: 'cable', when: { segment: 'reader' }, unless: { seen: '/cable' }, suggest: 'A cable' }],
};
const FOUND = { baskets: 6, of: 10, confidence: 0.9, lift: 1.7, from: 'baskets.csv', at: '2026-11-22T12:00:00.000Z' };

function draft(name: string, seen: string, suggest: string) {
  return {
    name,
    when: { all: [{ seen }] },
    suggest,
    reason: `Often with ${seen}.`,
    unless: { seen: suggest },
    found: FOUND,
  };
}

describe('the view of rules', () => {
  const redis = useRedis();
  const open = useDashboard();
  let folder: string;
  let config: string;
  const pathOf = (name: string): string => join(folder, name);
  const read = (name: string) => JSON.parse(readFileSync(pathOf(name), 'utf8'));
  const write = (name: string, value: unknown): void => writeFileSync(pathOf(name), JSON.stringify(value));
  let service: Service | ServiceProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-rules-view-'));
    config = pathOf('sessionwise.json');
    write('sessionwise.json', { rules: 'rules.json' });
    write('rules.json', RULES);
    write('drafts.json', { drafts: [draft('tv-cable', '/tv', '/cable'), draft(EVIL, EVIL, `/${EVIL}`)] });
  });
  afterEach(async () => {
    await service?.stop();
    service = undefined;
    rmSync(folder, { recursive: true });
  });

  const openDashboard = (more = {}) => open({ redis: redis.url, secret: SECRET, config, ...more });

  it('tells rules with how often they fired, were shown and taken, segments by day, and drafts', async () => {
    const running = await startService({ redis: redis.url, secret: SECRET, ...RULES });
    service = running;
    const foreign = await ForeignClient.connect(redis.url);
    await foreign.ask('pageview', 'visitor', '/r');
    for (const _ of [1, 2, 3]) await foreign.ask('combo', 'visitor', '');
    await foreign.ask('mark-suggestions', 'visitor', { rules: ['cable'], as: 'shown' });
    await foreign.ask('mark-suggestions', 'visitor', { rules: ['cable'], as: 'taken' });
    await foreign.close();
    const dashboard = await openDashboard({ role: 'viewer' });
    await running.stop();
    const { rules, segments, days, drafts, rulesProblem, draftsProblem } = await dashboard.data<RulesData>('rules');
    expect(rules).toEqual([
      {
        rule: 'cable',
        when: 'segment reader',
        unless: 'seen /cable',
        suggest: 'A cable',
        reason: '',
        fired: 3,
        shown: 1,
        taken: 1,
        dismissed: 0,
      },
    ]);
    expect(segments).toEqual([{ segment: 'reader', when: 'seen /r', days: [1, 0, 0, 0, 0, 0, 0] }]);
    expect(days).toHaveLength(7);
    expect(drafts.map(({ name, when, found }) => [name, when, found])).toEqual([
      ['tv-cable', 'all of (seen /tv)', FOUND],
      [EVIL, `all of (seen ${EVIL})`, FOUND],
    ]);
    expect([rulesProblem, draftsProblem]).toEqual([null, null]);
  });

  it('approves a draft, which a running service suggests without a restart', async () => {
    service = await startServiceProcess(redis.url, SECRET, '--config', config);
    const foreign = await ForeignClient.connect(redis.url);
    await foreign.ask('pageview', 'visitor', '/tv');
    expect(await foreign.ask('combo', 'visitor', '')).toEqual([]);
    const dashboard = await openDashboard();
    const input = { name: 'tv-cable', as: 'cable-for-tv', reason: 'Fits.' };
    expect(await dashboard.act('rules', 'approve', input)).toEqual({
      status: 200,
      done: { name: 'cable-for-tv', isNew: true },
    });
    await waitUntil('it is suggested', async () => ((await foreign.ask('combo', 'visitor', '')) as []).length > 0);
    expect(await foreign.ask('combo', 'visitor', '')).toMatchObject([{ rule: 'cable-for-tv', reason: 'Fits.' }]);
    await foreign.close();
    const { rules, drafts } = await dashboard.data<RulesData>('rules');
    expect(rules.map(({ rule }) => rule)).toEqual(['cable', 'cable-for-tv']);
    expect(drafts.map(({ name }) => name)).toEqual([EVIL]);
    expect(read('drafts.json').decided).toMatchObject([{ name: 'tv-cable', decision: 'approved' }]);
    expect(dashboard.log.with('done')).toMatchObject([{ action: 'approve', draft: 'tv-cable', as: 'cable-for-tv' }]);
  }, 60_000);

  it('rejects a draft for good, and changes no rule', async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
    const dashboard = await openDashboard();
    expect(await dashboard.act('rules', 'reject', { name: EVIL })).toEqual({ status: 200, done: { name: EVIL } });
    expect(read('drafts.json').decided).toMatchObject([{ name: EVIL, decision: 'rejected' }]);
    expect(read('drafts.json').drafts).toMatchObject([{ name: 'tv-cable' }]);
    expect(read('rules.json')).toEqual(RULES);
  });

  it('says what is wrong, by the name of the field, and changes nothing', async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
    const dashboard = await openDashboard();
    const approve = async (input: object) => (await dashboard.act('rules', 'approve', input)).message;
    expect(await approve({})).toMatch(/^"name" is missing/);
    expect(await approve({ name: 'tv-cable', as: 'x'.repeat(129) })).toMatch(/^"as" cannot be used/);
    expect(await approve({ name: 'none' })).toContain('has no draft named "none"');
    expect(await approve({ name: 'tv-cable', as: 'cable' })).toContain('has another rule named "cable"');
    expect(read('drafts.json').drafts).toHaveLength(2);
    expect(read('rules.json')).toEqual(RULES);
  });

  it('lets neither a viewer nor an editor decide, nor anybody where it is read-only', async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
    for (const options of [{ role: 'viewer' }, { role: 'editor' }, { readOnly: true }] as const) {
      const dashboard = await openDashboard(options);
      expect((await dashboard.act('rules', 'approve', { name: 'tv-cable' })).status).toBe(403);
      expect((await dashboard.act('rules', 'reject', { name: 'tv-cable' })).status).toBe(403);
      expect((await dashboard.data<RulesData>('rules')).drafts).toHaveLength(2);
    }
    expect(read('rules.json')).toEqual(RULES);
  });

  it('shows what it can where a file is wrong or missing, and says why', async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
    const dashboard = await openDashboard();
    write('rules.json', { suggestions: [{ name: 'x' }] });
    expect(await dashboard.data<RulesData>('rules')).toMatchObject({
      rules: [],
      rulesProblem: expect.stringContaining('rules.json'),
      drafts: [{ name: 'tv-cable' }, { name: EVIL }],
    });
    write('rules.json', RULES);
    writeFileSync(pathOf('drafts.json'), '{');
    expect(await dashboard.data<RulesData>('rules')).toMatchObject({
      rules: [{ rule: 'cable' }],
      rulesProblem: null,
      draftsProblem: expect.stringContaining('drafts.json'),
    });
    // Rules that stand in the configuration itself cannot be added to.
    write('sessionwise.json', RULES);
    write('drafts.json', { drafts: [draft('tv-cable', '/tv', '/cable')] });
    expect(await dashboard.data<RulesData>('rules')).toMatchObject({
      rules: [{ rule: 'cable' }],
      draftsProblem: expect.stringContaining('"rules"'),
    });
    expect((await dashboard.act('rules', 'approve', { name: 'tv-cable' })).message).toContain('names no file of rules');
    const without = await open({ redis: redis.url, secret: SECRET });
    expect((await without.data<RulesData>('rules')).rulesProblem).toContain('configuration of the service');
  });
});
