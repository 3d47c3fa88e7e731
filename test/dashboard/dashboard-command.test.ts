import { afterEach, describe, expect, it } from 'vitest';
import { type DashboardProcess, startDashboardProcess } from '../support/dashboard-process.ts';
import { runCli } from '../support/run-cli.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const redis = useRedis();
const running: { stop(): Promise<unknown> }[] = [];

async function start(more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<DashboardProcess> {
  const dashboard = await startDashboardProcess(redis.url, SECRET, more, env);
  running.push(dashboard);
  return dashboard;
}

async function startService(): Promise<string> {
  const service = await startServiceProcess(redis.url, SECRET);
  running.push(service);
  return service.instance;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

/** Reads a stream of server-sent events until one has data for which `holds`. */
async function dataOf<Data>(url: string, holds: (data: Data) => boolean): Promise<Data> {
  const abort = new AbortController();
  const response = await fetch(url, { signal: abort.signal });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (const [, json] of text.matchAll(/^data: (.*)\n\n/gm)) {
      const data = JSON.parse(json!) as Data;
      if (!holds(data)) continue;
      abort.abort();
      return data;
    }
  }
  throw new Error(`The stream ended: ${text}`);
}

describe('sessionwise dashboard', () => {
  it('serves pages and live data to this machine, and ends with a signal', async () => {
    const instance = await startService();
    const dashboard = await start();
    const page = await fetch(dashboard.url);
    expect([page.status, page.url]).toEqual([200, `${dashboard.url}now`]);
    expect(await page.text()).toContain('<h1>Now</h1>');
    const data = await dataOf<{ instances: { value: { id: string }[] } }>(
      `${dashboard.url}health/events`,
      ({ instances }) => instances.value.length > 0,
    );
    expect(data.instances.value.map(({ id }) => id)).toEqual([instance]);
    running.splice(running.indexOf(dashboard), 1);
    expect(await dashboard.stop()).toBe(0);
  });

  it('refuses to listen where others reach it without a token, in one sentence', async () => {
    await startService();
    const { code, stderr } = await runCli(['dashboard', '--redis', redis.url, '--host', '0.0.0.0', '--port', '0'], {
      env: { SESSIONWISE_SECRET: SECRET },
    });
    expect([code, stderr]).toEqual([
      2,
      'sessionwise: The dashboard would be open to everybody who reaches 0.0.0.0: give a token with --token-file FILE or SESSIONWISE_DASHBOARD_TOKEN, or listen on 127.0.0.1.\n',
    ]);
  });

  it('refuses a namespace that no service has made', async () => {
    const { code, stderr } = await runCli(['dashboard', '--redis', redis.url, '--port', '0'], {
      env: { SESSIONWISE_SECRET: SECRET },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('keeps no namespace "sw"');
  });
});
