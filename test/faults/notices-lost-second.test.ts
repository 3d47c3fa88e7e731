import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { ItemHasher } from '../../src/knowledge/item-hash.ts';
import { Keys } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { useCluster } from '../support/use-cluster.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { SECRET } from './streams-stage.ts';

/* Redis is killed and comes back without the last that it acknowledged, as with AOF everysec, or a replica that took over: what
 * was published then is gone, and what is published next is another notice, also for those who had read the lost one. */

const groups = ['news'];

/** The append-only file of a server, and how much of it there is. */
class AppendOnlyFile {
  readonly #file: string;

  constructor(folder: string) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.aof$/.test(name));
    const newest = names
      .filter((name) => !name.endsWith('.base.aof'))
      .sort()
      .at(-1);
    this.#file = join(folder, newest!);
  }

  get length(): number {
    return statSync(this.#file).size;
  }

  /** Cuts off all behind `length`. */
  cut(length: number): void {
    expect(this.length).toBeGreaterThan(length);
    truncateSync(this.#file, length);
  }
}

async function open(url: string): Promise<SessionClient> {
  const services = [await startService({ redis: url, secret: SECRET, transport: 'streams' })];
  services.push(await startService({ redis: url, secret: SECRET, transport: 'streams' }));
  const client = new SessionClient({ redis: url, transport: 'streams', deadlineMs: 20_000 });
  onTestFinished(async () => {
    await client.close();
    await Promise.all(services.map((service) => service.stop(100)));
  });
  expect(await client.ready(20_000)).toBe(true);
  await untilServed(client);
  return client;
}

const publish = async (client: SessionClient, ...ids: string[]): Promise<void> => {
  for (const id of ids) await client.notices.publish({ to: { group: 'news' }, id, text: `Text of ${id}` });
};
const unreadOf = async (client: SessionClient, session: string): Promise<unknown[]> =>
  (await client.session(session).notices.list({ groups, unreadOnly: true }))!.notices.map(({ id }) => id);
const untilServed = (client: SessionClient): Promise<void> =>
  waitUntil('it is served again', async () => (await client.request('notices', 'x', { groups })) !== undefined, 20_000);

describe('notices of a Redis that has lost its last second', { timeout: 60_000 }, () => {
  const server = useRedis({ persistence: true, eachTest: 'new' });

  it('are those that it has, and none that comes is hidden', async () => {
    const client = await open(server.url);
    await publish(client, 'first', 'second');
    await client.session('reader').notices.markRead(['first']);
    const file = new AppendOnlyFile(join(server.dataDir, 'redis'));
    const { length } = file;
    await publish(client, 'lost', 'lost too');
    await client.notices.edit('second', { text: 'Edited' });
    await client.session('reader').notices.markRead(['lost', 'lost too', 'second']);
    expect(await unreadOf(client, 'reader')).toEqual([]);
    const { pid } = server;
    server.kill('SIGKILL');
    await waitUntil('it is gone', () => isGone(pid));
    file.cut(length);
    await server.restart();
    await untilServed(client);
    expect(await unreadOf(client, 'reader')).toEqual(['second']);
    await publish(client, 'next', 'after next');
    expect(await unreadOf(client, 'reader')).toEqual(['after next', 'next', 'second']);
    expect(await unreadOf(client, 'stranger')).toEqual(['after next', 'next', 'second', 'first']);
  });
});

describe('notices of a Cluster of which a master has lost its last second', { timeout: 60_000 }, () => {
  const cluster = useCluster({ persistence: true, eachTest: 'new' });
  const keys = new Keys('sw');
  const listKey = keys.noticeListIndex(new ItemHasher(SECRET, 'sw').of('group', 'news'));

  it('are not hidden from those who had read what was lost, whose marks another master has', async () => {
    const client = await open(cluster.url);
    const master = await cluster.masterOf(listKey);
    // What each reader does lies on one of the masters.
    const readers: string[] = [];
    for (let i = 0; readers.length < 5; i += 1) {
      if ((await cluster.masterOf(keys.subject(`reader-${i}`))).index !== master.index) readers.push(`reader-${i}`);
    }
    await publish(client, 'first');
    const file = new AppendOnlyFile(await folderOf(master));
    const { length } = file;
    await publish(client, 'lost', 'lost too');
    for (const reader of readers) await client.session(reader).notices.markRead(['lost', 'lost too']);
    cluster.kill(master, 'SIGKILL');
    await waitUntil('it is gone', () => isGone(master.pid));
    file.cut(length);
    await cluster.restart(master);
    await untilServed(client);
    await publish(client, 'next', 'after next');
    for (const reader of readers) {
      expect(await unreadOf(client, reader), reader).toEqual(['after next', 'next', 'first']);
    }
  });

  async function folderOf(node: { command(...args: string[]): Promise<unknown> }): Promise<string> {
    const { dir } = (await node.command('CONFIG', 'GET', 'dir')) as { dir: string };
    return dir;
  }
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
