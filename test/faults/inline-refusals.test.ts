import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../src/adapters/express/index.ts';
import { createConnection } from '../../src/redis/index.ts';
import { Visitor } from '../adapters/suite/adapter-site.ts';
import { collectStrayErrors } from '../support/stray-errors.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';
import { SECRET } from './streams-stage.ts';

/* A site with the service in its process, over a Redis that lives and refuses, or stands still, while visitors log in. Pages go
 * on, and when Redis is well again each visitor is the person, once, and no process was started anew. */

const ITEMS = ['/1', '/2', '/none'];
const ROUNDS = 12;
const HEALS_MS = 20_000;
const NO_SESSIONS = { name: 'none', tokenIn: () => '', sign: () => '' };

const server = useRedis({ extraArgs: ['--lua-time-limit', '50'], eachTest: 'new', persistence: true });
const { redis } = server;
const config = (name: string, value: string): Promise<unknown> => redis.command('CONFIG', 'SET', name, value);

/** Begins; returns what ends it. */
type Fault = () => Promise<() => Promise<unknown>>;

// A snapshot cannot take the place of a folder.
const misconf: Fault = async () => {
  const { dir } = await redis.command<Record<string, string>>('CONFIG', 'GET', 'dir');
  const { dbfilename } = await redis.command<Record<string, string>>('CONFIG', 'GET', 'dbfilename');
  const inTheWay = join(dir!, dbfilename!);
  const refuses = (): Promise<boolean> => redis.command('SET', 'x', '1').then(refused(false), refused(true));
  await rm(inTheWay, { force: true });
  await mkdir(join(inTheWay, 'folder'), { recursive: true });
  await config('save', '3600 1');
  await redis.command('BGSAVE');
  await waitUntil('it refuses', refuses);
  return async () => {
    await rm(inTheWay, { recursive: true });
    await redis.command('BGSAVE');
    await waitUntil('it takes writes', async () => !(await refuses()));
  };
};

const busy: Fault = async () => {
  const other = await createConnection(server.url, 'test-busy').connect();
  const ended = other.command('EVAL', 'while true do end', '0').catch(() => undefined);
  return async () => {
    await redis.command('SCRIPT', 'KILL');
    await ended;
    other.destroy();
  };
};

const switched =
  (begin: () => unknown, end: () => unknown): Fault =>
  async () => {
    await begin();
    return async () => end();
  };

function without(...names: string[]): Fault {
  const change = (sign: '-' | '+') => (): Promise<unknown> =>
    redis.command('ACL', 'SETUSER', 'default', ...names.map((name) => `${sign}${name}`));
  return switched(change('-'), change('+'));
}

const FAULTS: [string, Fault][] = [
  [
    'is full (OOM)',
    switched(
      () => config('maxmemory', '1'),
      () => config('maxmemory', '0'),
    ),
  ],
  [
    'is read-only',
    switched(
      () => redis.command('REPLICAOF', '127.0.0.1', '1'),
      () => redis.command('REPLICAOF', 'NO', 'ONE'),
    ),
  ],
  [
    'lacks replicas',
    switched(
      () => config('min-replicas-to-write', '1'),
      () => config('min-replicas-to-write', '0'),
    ),
  ],
  ['failed its snapshot (MISCONF)', misconf],
  ['runs a long script (BUSY)', busy],
  [
    'stands still',
    switched(
      () => server.kill('SIGSTOP'),
      () => server.kill('SIGCONT'),
    ),
  ],
  [
    'is restarted',
    switched(
      () => server.kill('SIGKILL'),
      () => server.restart(),
    ),
  ],
  ...['hset', 'hincrby', 'zadd', 'set', 'expire', 'unlink', 'hmget', 'get', 'mget', 'time', 'eval evalsha'].map(
    (names): [string, Fault] => [`refuses ${names} (NOPERM)`, without(...names.split(' '))],
  ),
];

function refused(answer: boolean): () => boolean {
  return () => answer;
}

async function openSite(): Promise<{ readonly url: string; readonly sw: Sessionwise }> {
  const sw = createSessionwise({ redis: server.url, service: 'inline', secret: SECRET });
  const app = express().use(sw.knowledge({ user: (request) => request.get('x-user') }));
  app.get('/:page', async ({ sessionwise }, response) => {
    const [visit, fresh] = await Promise.all([sessionwise.visit(), sessionwise.unseen(ITEMS)]);
    response.json({ views: visit?.totalPages ?? null, fresh: fresh ?? null });
  });
  const http = createServer(app).listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    http.closeAllConnections();
    http.close();
    await sw.close();
  });
  expect(await sw.client.ready(HEALS_MS)).toBe(true);
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, sw };
}

interface Told {
  readonly views: number | null;
  readonly fresh: readonly string[] | null;
}

/** A browser whose user logs in, and how many pages it has asked for. */
class Guest {
  readonly user: string;
  readonly browser: Visitor;
  asked = 0;

  constructor(site: { readonly url: string }, user: string) {
    this.user = user;
    this.browser = new Visitor(site, NO_SESSIONS);
  }

  async ask(page: string, isLoggedIn: boolean): Promise<Told> {
    this.asked += 1;
    const { status, body } = await this.browser.get(page, isLoggedIn ? { 'x-user': this.user } : {});
    expect(status).toBe(200);
    return body as Told;
  }
}

it.each(FAULTS)(
  'pages go on and all heals where Redis %s while visitors log in',
  { timeout: 60_000 },
  async (_, fault) => {
    const strays = collectStrayErrors();
    const site = await openSite();
    const guests = ['ada', 'bob', 'eve'].map((user) => new Guest(site, user));
    for (const guest of guests) {
      for (const page of ['/1', '/2']) await guest.ask(page, false);
      // Views count behind the answers.
      const { client } = site.sw;
      const counted = async (): Promise<number | undefined> =>
        (await client.session(guest.browser.visitorId, { deadlineMs: HEALS_MS }).figures())?.totalPages;
      await waitUntil('both views count', async () => (await counted()) === 2);
    }
    const heal = await fault();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const guest of guests) {
        const { fresh } = await guest.ask('/meanwhile', true);
        // Who is said to be merged is.
        if (fresh !== null && guest.browser.visitorCookie === undefined) expect(fresh).toEqual(['/none']);
      }
      await new Guest(site, 'nobody').ask('/stranger', false);
      await pace();
    }
    await heal();
    for (const guest of guests) {
      const isMerged = async (): Promise<boolean> => (await guest.ask('/after', true)).fresh?.join() === '/none';
      await waitUntil(`${guest.user} has what was seen before`, isMerged, HEALS_MS);
      expect(guest.browser.visitorCookie).toBeUndefined();
      for (let i = 0; i < 5; i += 1) await guest.ask('/after', true);
      const counted = async (): Promise<number> =>
        (await site.sw.person(guest.user, { deadlineMs: HEALS_MS }).figures())?.totalPages ?? 0;
      await waitUntil('what was asked since counts', async () => (await counted()) >= 2 + 5);
      expect(await counted()).toBeLessThanOrEqual(guest.asked);
    }
    expect(strays).toEqual([]);
  },
);
