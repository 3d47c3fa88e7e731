import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SessionClient } from '../../src/index.ts';
import { findPromtool } from '../support/find-promtool.ts';
import { startCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* prometheus.test.ts: the rules for Prometheus and the dashboard for Grafana, and whether a running service has what they name. */

const DEPLOY = join(import.meta.dirname, '../../deploy');
const RULES = 'prometheus/sessionwise.rules.yml';
const TESTS = 'prometheus/sessionwise.test.yml';
const DASHBOARD = 'grafana/sessionwise.json';
const promtool = findPromtool();

const read = (file: string): string => readFileSync(join(DEPLOY, file), 'utf8');
const rules: { record?: string; alert?: string; expr: string }[] = parse(read(RULES)).groups.flatMap(
  (group: { rules: object[] }) => group.rules,
);
const panels: { title: string; type: string; description?: string; targets?: { expr: string }[] }[] = JSON.parse(
  read(DASHBOARD),
).panels;
const dashboardQueries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('the rules for Prometheus', () => {
  it.skipIf(promtool === undefined)('are ones that promtool takes, and hold what their tests say', () => {
    const check = (...args: string[]) =>
      execFileSync(promtool!, args, { cwd: join(DEPLOY, 'prometheus'), encoding: 'utf8', stdio: 'pipe' });
    expect(check('check', 'rules', 'sessionwise.rules.yml')).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(check('test', 'rules', 'sessionwise.test.yml')).toContain('SUCCESS');
  });

  it('each alert is tried twice: where it fires, and where all is well', () => {
    type Case = { alertname: string; exp_alerts: unknown[] };
    const cases: Case[] = parse(read(TESTS)).tests.flatMap((test: { alert_rule_test: Case[] }) => test.alert_rule_test);
    const alerts = rules.flatMap(({ alert }) => alert ?? []);
    expect(alerts.length).toBeGreaterThan(10);
    const named = (fires: boolean) =>
      cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname);
    expect(named(true).sort()).toEqual([...alerts].sort());
    expect(named(false).sort()).toEqual([...alerts].sort());
  });
});

describe('the dashboard for Grafana', () => {
  it.skipIf(promtool === undefined)('has queries that Prometheus can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-grafana-'));
    const asRules = dashboardQueries.map((expr, index) => ({
      record: `query:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h'),
    }));
    writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups: [{ name: 'queries', rules: asRules }] }));
    try {
      const said = execFileSync(promtool!, ['check', 'rules', join(folder, 'rules.json')], { encoding: 'utf8' });
      expect(said).toContain(`SUCCESS: ${dashboardQueries.length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says of each panel what it shows', () => {
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(shown.length).toBeGreaterThan(15);
    expect(shown.filter(({ description }) => !description).map(({ title }) => title)).toEqual([]);
  });
});

describe('a running service', () => {
  const server = useRedis({ eachTest: 'kept' });
  const secret = 'a secret for tests, and only for them';
  let folder: string;
  let service: ReturnType<typeof startCli>;
  let clients: SessionClient[] = [];
  let text: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-metrics-'));
    const config = {
      segments: { reader: { seen: '/tv' } },
      suggestions: [{ name: 'cable', when: { seen: '/tv' }, suggest: 'a cable', reason: 'It has none.' }],
      livePairs: { names: ['/tv', '/radio'] },
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const flags = ['--transport', 'both', '--http', '0', '--config', 'config.json'];
    service = startCli(['serve', '--redis', server.url, ...flags], {
      cwd: folder,
      env: { SESSIONWISE_SECRET: secret },
    });
    await waitUntil('the service serves', () => service.output().includes('"Serving."'));
    const { http } = JSON.parse(
      service
        .output()
        .split('\n')
        .find((line) => line.includes('"Serving."'))!,
    );

    clients = (['channels', 'streams'] as const).map(
      (transport) => new SessionClient({ redis: server.url, transport, secret, deadlineMs: 20_000 }),
    );
    await Promise.all(clients.map((client) => client.ready()));
    const [client, streaming] = clients as [SessionClient, SessionClient];
    for (const path of ['/tv', '/radio']) await client.request('pageview', 'ada', path);
    await streaming.request('pageview', 'bob', '/tv');
    await client.request('segments', 'ada', '');
    await client.session('ada').suggestions();
    await client.request('mark-suggestions', 'ada', { rules: ['cable'], as: 'taken' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'T' });
    const page = client.session('ada', { deadlineMs: 20_000 });
    await page.notices.list({ groups: ['news'] });
    await page.notices.markSeen(['n1']);
    await server.redis.command('PUBLISH', 'ss:surface:ada:r1', '{"no":"list"}');
    await server.redis.command('PUBLISH', 'ss:pageview:ada:not a request', '/tv');

    // Some is counted behind the requests.
    await waitUntil('all that is asked for was counted', async () => {
      text = await (await fetch(`http://${http.host}:${http.port}/metrics`)).text();
      return [...namedLabels().keys()].every((name) => samplesOf(name).length > 0);
    }).catch(() => {
      throw new Error(
        `Not counted: ${[...namedLabels().keys()].filter((name) => samplesOf(name).length === 0)}\n${text}`,
      );
    });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    service?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const samplesOf = (name: string): string[] =>
    text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

  /** The metrics that rules and dashboard name, each with the labels that they ask for. */
  function namedLabels(): Map<string, Set<string>> {
    const named = new Map<string, Set<string>>();
    for (const expr of [...rules.map((rule) => rule.expr), ...dashboardQueries]) {
      for (const [, name, selector] of expr.matchAll(/\b(sessionwise_\w+)(?:\{([^}]*)\})?/g)) {
        const labels = named.get(name!) ?? new Set<string>();
        for (const [, label] of (selector ?? '').matchAll(/(\w+)(?:=|!)/g)) labels.add(label!);
        // What a sum is grouped by has to be a label of what is summed.
        const grouped = new RegExp(`by \\(([^)]*)\\) \\((?:\\w+\\()?${name}\\b`).exec(expr)?.[1];
        for (const label of grouped?.split(',') ?? []) labels.add(label.trim());
        named.set(name!, labels);
      }
    }
    return named;
  }

  it('has each metric that rules and dashboard name, with the labels that they ask for', () => {
    expect(namedLabels().size).toBeGreaterThan(20);
    const missing = [...namedLabels()].flatMap(([name, labels]) => {
      const [sample = ''] = samplesOf(name);
      return [...labels].filter((label) => !sample.includes(`${label}="`)).map((label) => `${name}{${label}}`);
    });
    expect(missing).toEqual([]);
  });

  it('has no metric that is neither in the rules nor on the dashboard', () => {
    const exported = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name]) => name!);
    const named = [...namedLabels().keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    expect(exported.filter((name) => !named.includes(name))).toEqual([]);
  });
});
