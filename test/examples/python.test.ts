import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnection } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';

/* The foreign client: examples/python/ against a real service, with Debian's Python and its python3-redis. */

const PYTHON = '/usr/bin/python3';
const DEMO = fileURLToPath(new URL('../../examples/python/demo.py', import.meta.url));
const ENV = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' };

const found = spawnSync(PYTHON, ['-c', 'import redis; print(redis.__version__)'], { encoding: 'utf8' });
const isMissing = found.status !== 0;
const HOW = `${PYTHON} has no redis module: apt-get install -y python3-redis`;
if (isMissing && !process.env.CI) console.warn(`SKIPPED: the Python example. ${HOW}`);

describe.skipIf(isMissing && !process.env.CI)('examples/python', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service | undefined;

  beforeAll(async () => {
    if (isMissing) throw new Error(HOW);
  });

  afterAll(async () => {
    await service?.stop();
  });

  it('demo.py fails where nobody serves', async () => {
    const { code, output } = await runDemo(['--redis', redis.url]);
    expect(output).toContain('WRONG publish');
    expect(code).toBe(1);
  });

  it('demo.py publishes and requests', async () => {
    service = await startService({ redis: redis.url, secret: 'python-example-secret' });
    const { code, output } = await runDemo(['--redis', redis.url]);
    expect(output).toContain('ok    costs no deadline');
    expect(output).not.toContain('WRONG');
    expect(code).toBe(0);
  });

  it('no query leaves the process', async () => {
    const admin = await createConnection(redis.url).connect();
    const heard: string[] = [];
    const ears = await admin.duplicate().connect();
    await ears.subscribePatterns(['unserved:*'], (message, channel) => heard.push(`${channel} ${message}`));
    const { code, output } = await runPython(
      `
from sessionwise import Sessionwise
client = Sessionwise(${JSON.stringify(redis.url)}, namespace="unserved", deadline=0.05)
for page in ("/reset?token=s3cret", "https://u:s3cret@shop.example?t=s3cret", "/#s3cret", "HTTP://h\\\\p?s3cret"):
    client.publish("pageview", "s1", page)
    client.publish("pageview", "s1", {"path": page, "at": 1})
    client.publish("mark-item-seen", "s1", [page, "name?kept"])
    client.publish("mark-notification-seen", "s1", page)
    client.request("surface", "s1", [page])
    client.request("surface", "s1", '["/reset?token=s3cret"]')
    client.request("notifications", "s1", [{"id": page, "link": page}])
`,
    );
    expect([code, output]).toEqual([0, '']);
    expect(heard).toHaveLength(28);
    expect(heard.filter((text) => text.includes('s3cret'))).toEqual([]);
    expect(heard.filter((text) => text.includes('name?kept'))).toHaveLength(4);
    expect(heard[0]).toMatch(/ \/reset$/);
    await Promise.all([ears.close(), admin.close()]);
  });

  it('a request keeps its deadline where nobody answers', async () => {
    // Subscribed, so that PUBLISH says 1, and silent.
    const { code, output } = await runPython(
      `
import redis, time
from sessionwise import Sessionwise
url = ${JSON.stringify(redis.url)}
listener = redis.Redis.from_url(url).pubsub()
listener.psubscribe("silent:ss:*")
listener.get_message(timeout=5)
client = Sessionwise(url, namespace="silent")
client.publish("pageview", "s1", "/a")
for deadline in (0.05, 0.15):
    started = time.monotonic()
    assert client.request("pageview", "s1", "/a", deadline=deadline) is None
    took = time.monotonic() - started
    assert deadline <= took < deadline + 0.25, (deadline, took)
    print("kept", deadline)
`,
    );
    expect(output).toBe('kept 0.05\nkept 0.15\n');
    expect(code).toBe(0);
  });
});

function runDemo(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return run([DEMO, ...args]);
}

function runPython(source: string): Promise<{ code: number | null; output: string }> {
  return run(['-c', source], { ...ENV, PYTHONPATH: fileURLToPath(new URL('../../examples/python/', import.meta.url)) });
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = ENV): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
