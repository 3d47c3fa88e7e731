import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { LifecycleEvent } from '../../src/index.ts';
import { pendingOf, write } from '../consumers/consumer-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Processes that consume events, killed at any moment: each event is told at least once, in hand of one at a time, and those
 * that nobody was killed over once. */

const SCRIPT = join(import.meta.dirname, 'consumer-process.js');
const EVENTS = 600;
const KILLS = 8;
const server = useRedis();
const { redis } = server;

it('loops over events whose processes are killed: nothing is lost, and only what was in hand comes again', async () => {
  const told: LifecycleEvent[] = [];
  const children = new Set<ChildProcess>();
  const start = (): ChildProcess => {
    const child = fork(SCRIPT, [server.url, 'workers']);
    child.on('message', (event) => told.push(event as LifecycleEvent));
    children.add(child);
    return child;
  };
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  const kill = async (child: ChildProcess): Promise<void> => {
    children.delete(child);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  start();
  start();
  await waitUntil('they are there', () => consumesNow());
  const names = Array.from({ length: EVENTS }, (_, i) => `s${i}`);
  for (let at = 0; at < EVENTS; at += EVENTS / KILLS) {
    const before = told.length;
    await write(redis, ...names.slice(at, at + EVENTS / KILLS));
    await waitUntil('some are told', () => told.length > before + 10, 20_000);
    start();
    await kill([...children][0]!);
  }
  await waitUntil('all are told', () => new Set(told.map(nameOf)).size === EVENTS, 30_000);
  await waitUntil('all are acknowledged', async () => (await pendingOf(redis, 'workers')) === 0, 30_000);
  const again = told.filter((event) => event.event !== 'gap' && event.tries > 1);
  // A killed process has one in hand at the most; the one before it may be told and not yet acknowledged by then.
  expect(again.length).toBeLessThanOrEqual(KILLS);
  expect(told.length).toBeLessThanOrEqual(EVENTS + KILLS);
  expect(told.some(({ event }) => event === 'gap')).toBe(false);

  async function consumesNow(): Promise<boolean> {
    const list = await redis.command<string>('CLIENT', 'LIST');
    return list.split('\n').filter((line) => line.includes(' name=sessionwise-consumer ')).length === 2;
  }
}, 120_000);

function nameOf(event: LifecycleEvent): string {
  return event.event === 'gap' ? 'gap' : event.session;
}
