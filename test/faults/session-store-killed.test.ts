import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { createConnection, Keys, partitionOf } from '../../src/redis/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { tokenIn } from './session-store-stage.ts';

/* A process of the serving layer is killed with SIGKILL in the middle of saves, again and again. No record is half
 * written, nothing that was acknowledged is missing, nothing was done twice. */

const KILLS = 5;
const VISITORS = 16;
const ANSWERS = 150;
const APP = join(import.meta.dirname, 'session-store-process.js');
const NAMESPACE = 'killed';

interface Process {
  readonly url: string;
  kill(): Promise<void>;
}

/** What a visitor did, and what of it was acknowledged. */
interface Visitor {
  cookie: string | undefined;
  counted: number;
  sentCounts: number;
  pair: number;
  sentPairs: number;
  logins: number;
}

const server = useRedis();

async function start(): Promise<Process> {
  const child: ChildProcess = fork(APP, [server.url, NAMESPACE], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!first) throw new Error(`The app ended before it was ready: ${errors}`);
  return {
    url: `http://127.0.0.1:${(first[0] as { port: number }).port}`,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('a process of the serving layer that is killed in the middle of saves', () => {
  it('leaves whole records, and all that it has acknowledged', { timeout: 120_000 }, async () => {
    const visitors = Array.from({ length: VISITORS }, newVisitor);
    let answers = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const app = await start();
      let running = true;
      const loads = visitors.map(async (visitor, i) => {
        for (let turn = i; running; turn += 1) {
          // The one that is under way when the process dies fails, and so does what follows.
          if (!(await act(app.url, visitor, turn, `user-${i % 4}`))) return;
          answers += 1;
        }
      });
      const then = answers;
      await waitUntil('more was answered', () => answers >= then + ANSWERS);
      await app.kill();
      running = false;
      await Promise.all(loads);
    }

    const data = new SessionData({ redis: server.url, namespace: NAMESPACE, deadlineMs: 20_000, sweep: false });
    const redis = await createConnection(server.url).connect();
    try {
      const all = await data.all();
      // A visitor whose first answer was lost has begun again.
      expect(all.length).toBeGreaterThanOrEqual(VISITORS);
      for (const loaded of all) {
        const values = data.valuesOf(loaded);
        expect(values.second).toBe(values.first);
        expect(String(values.padding ?? '')).toHaveLength(Number(values.first ?? 0) % 5_000);
        const { session, userId, expiresAt } = data.infoOf(loaded);
        const due = new Keys(NAMESPACE).due(partitionOf(session));
        expect(Number(await redis.command('ZSCORE', due, session))).toBeCloseTo(expiresAt, 0);
        if (userId === undefined) continue;
        const listed = (await data.sessionsOf(userId)).map((one) => one.session);
        expect(listed).toContain(session);
      }
      for (const [i, visitor] of visitors.entries()) {
        if (visitor.cookie === undefined) continue;
        const token = tokenIn(visitor.cookie);
        const loaded = (await data.load(token))!;
        expect(data.infoOf(loaded).session).toBe(sessionOf(token));
        const { count = 0, first = 0 } = data.valuesOf(loaded) as { count?: number; first?: string };
        expect(count).toBeGreaterThanOrEqual(visitor.counted);
        expect(count).toBeLessThanOrEqual(visitor.sentCounts);
        expect(Number(first)).toBeGreaterThanOrEqual(visitor.pair);
        expect(Number(first)).toBeLessThanOrEqual(visitor.sentPairs);
        if (visitor.logins > 0) expect(data.infoOf(loaded).userId).toBe(`user-${i % 4}`);
      }
    } finally {
      await redis.close();
      await data.close();
    }
  });
});

function newVisitor(): Visitor {
  return { cookie: undefined, counted: 0, sentCounts: 0, pair: 0, sentPairs: 0, logins: 0 };
}

/** One request. Whether it was answered. */
async function act(url: string, visitor: Visitor, turn: number, user: string): Promise<boolean> {
  // A session begins with a pair.
  const kind = visitor.cookie === undefined ? 'pair' : (['pair', 'count', 'pair', 'login'] as const)[turn % 4]!;
  if (kind === 'pair') visitor.sentPairs += 1;
  if (kind === 'count') visitor.sentCounts += 1;
  const path = { pair: `/pair/${visitor.sentPairs}`, count: '/count', login: `/login/${user}` }[kind];
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: visitor.cookie === undefined ? {} : { cookie: visitor.cookie },
    });
    const body = (await response.json()) as { count?: number };
    expect(response.status).toBe(200);
    const [cookie] = response.headers.getSetCookie();
    if (cookie) visitor.cookie = cookie.split(';')[0]!;
    if (kind === 'pair') visitor.pair = visitor.sentPairs;
    if (kind === 'count') visitor.counted = body.count!;
    if (kind === 'login') visitor.logins += 1;
    return true;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The secret may be replaced, and the browser never heard the new one: what it has opens nothing then.
    if (kind === 'login') Object.assign(visitor, newVisitor());
    return false;
  }
}
