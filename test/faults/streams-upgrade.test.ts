import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { PARTITIONS } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import { type Instance, keys, SECRET, soakSeconds, startServe } from './streams-stage.ts';

/* Upgrades while pages wait for their answers: the new instance is started, then the old one is told to stop. A partition
 * is handed over when what is in hand is done, and the heir hears of it: it does not wait until it looks again
 * (streams-heirs.test.ts). */

const UPGRADES = soakSeconds(0) > 0 ? 10 : 4;
const VIEWS_A_SECOND = soakSeconds(0) > 0 ? 1_000 : 300;
// The default in a soak, which has the machine to itself. Beside other tests a process that starts takes the processor
// away from those that serve; with so much time a page goes without its answer only where a request is lost.
const DEADLINE_MS = soakSeconds(0) > 0 ? 100 : 5_000;
const TICK_MS = 10;

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  await endChildren();
});

async function untilOwnedBy(isOwner: (token: string) => boolean): Promise<void> {
  await waitUntil('the partitions are where they should be', async () => {
    const owners = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => redis.command<string | null>('GET', keys.owner(partition))),
    );
    return owners.every((token) => token !== null && isOwner(token));
  });
}

describe('upgrades of the service under load', { timeout: 120_000 }, () => {
  it('degrade next to no page', async () => {
    let old: Instance = await startServe(server.url);
    await untilOwnedBy(() => true);
    const client = new SessionClient({
      redis: server.url,
      transport: 'streams',
      secret: SECRET,
      deadlineMs: DEADLINE_MS,
    });
    expect(await client.ready(10_000)).toBe(true);
    const reasons: Record<string, number> = {};
    client.on('degraded', ({ reason }) => {
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    });
    let running = true;
    let asked = 0;
    let answered = 0;
    const waiting = new Set<Promise<void>>();
    const visitors = (async () => {
      const began = performance.now();
      while (running) {
        const due = ((performance.now() - began) * VIEWS_A_SECOND) / 1_000;
        for (; asked < due; asked += 1) {
          const view = client.request('pageview', `visitor-${asked % 500}`, `/p${asked % 20}`).then((reply) => {
            if (reply !== undefined) answered += 1;
            waiting.delete(view);
          });
          waiting.add(view);
        }
        await sleep(TICK_MS);
      }
      await Promise.all(waiting);
    })();
    // What compiles at first is nobody's upgrade.
    await waitUntil('it is warm', () => asked > 2 * VIEWS_A_SECOND);
    const before = { asked, answered };
    for (let upgrade = 0; upgrade < UPGRADES; upgrade += 1) {
      const heir = await startServe(server.url);
      const owners = new Set<string>();
      await waitUntil('the heir has its share', async () => {
        const tokens = await Promise.all(
          Array.from({ length: PARTITIONS }, (_, i) => redis.command<string | null>('GET', keys.owner(i))),
        );
        owners.clear();
        for (const token of tokens) owners.add(token?.split(':')[0] ?? '');
        return owners.size === 2 && !owners.has('');
      });
      await old.kill('SIGTERM');
      expect(await old.exited).toBe(0);
      await untilOwnedBy(() => true);
      old = heir;
    }
    running = false;
    await visitors;
    await client.close();
    const share = 1 - (answered - before.answered) / (asked - before.asked);
    console.log('Upgrades:', JSON.stringify({ upgrades: UPGRADES, asked, answered, share, reasons }));
    if (soakSeconds(0) > 0) expect(share).toBeLessThan(0.005);
    else expect({ answered, reasons }).toEqual({ answered: asked, reasons: {} });
  });
});
