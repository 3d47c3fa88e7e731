import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandMap, type CommandName, SessionClient } from '../../../src/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Child, startChild } from '../child.ts';
import { SECRET } from '../streams-stage.ts';

/* notice-site.ts: a site of several devices and two instances of the service, which are processes of their own. */

/** How requests reach the service. */
export type Way = 'channels' | 'streams' | 'inline';

/** A site that is asked about notices. */
export interface NoticeSite {
  /** Asks until it is answered. `isOver`: told before each further try, ends it without an answer. */
  ask<C extends CommandName>(
    device: number,
    command: C,
    session: string,
    payload: CommandMap[C]['payload'],
    isOver?: () => boolean,
  ): Promise<Answered<CommandMap[C]['reply']>>;
  /** Kills an instance of the service as by SIGKILL, and starts another in its place. */
  killService(which: number): Promise<void>;
  /** Does something that ends requests halfway. */
  disturb(fault: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** An answer. */
export interface Answered<Reply> {
  readonly reply: Reply | undefined;
  /** Whether it may have been done more than once: it was asked for again, or something was killed meanwhile. */
  readonly isRepeated: boolean;
}

type Once = (device: number, command: CommandName, session: string, payload: unknown) => Promise<unknown>;
type Instance = Child<{ readonly instance: string }>;

const DEVICES = 3;
/** Over streams an heir answers what an instance that was killed had taken. */
const DEADLINES_MS = { channels: 1_500, streams: 6_000, inline: 1_500 };
const ALL_MS = 60_000;
const PACE_MS = 20;
// Between them they serve every session.
const GLOBS = ['[0-9a-h]*', '[^0-9a-h]*'];

/** Opens a site. */
export function openNoticeSite(way: Way, redis: string): Promise<NoticeSite> {
  return way === 'inline' ? openInline(redis) : openRemote(way, redis);
}

// Over channels each instance has its own sessions, over streams they share all.
async function openRemote(way: 'channels' | 'streams', redis: string): Promise<NoticeSite> {
  const start = (which: number): Promise<Instance> =>
    startChild('notices/notices-service.js', [redis, SECRET, way, way === 'channels' ? GLOBS[which]! : '?*']);
  const instances = await Promise.all(GLOBS.map((_, which) => start(which)));
  const clients = Array.from(
    { length: DEVICES },
    () =>
      new SessionClient({ redis, transport: way, ownConnection: true, deadlineMs: DEADLINES_MS[way], secret: SECRET }),
  );
  await Promise.all(clients.map((client) => client.ready()));
  // What was sent to an instance that is gone is not answered any more.
  const gone = GLOBS.map(() => later());
  const whichOf = (session: string): number => (/^[0-9a-h]/.test(session) ? 0 : 1);
  const once: Once = (device, command, session, payload) => {
    const request = clients[device % DEVICES]!.request(command, session, payload as never);
    return way === 'channels' ? Promise.race([request, gone[whichOf(session)]!.promise]) : request;
  };
  return {
    ...asking(once),
    async killService(which) {
      await instances[which]!.kill('SIGKILL');
      instances[which] = await start(which);
      gone[which]!.resolve();
      gone[which] = later();
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all(instances.map((instance) => instance.kill('SIGTERM')));
    },
  };
}

async function openInline(redis: string): Promise<NoticeSite> {
  const start = (): Promise<Instance> => startChild('notices/notices-service.js', [redis, SECRET, 'inline', '?*']);
  const waiting = GLOBS.map(() => new Map<number, (reply: unknown) => void>());
  let last = 0;
  const listen = (instance: Instance, which: number): Instance => {
    instance.process.on('exit', () => {
      for (const resolve of waiting[which]!.values()) resolve(undefined);
      waiting[which]!.clear();
    });
    instance.process.on('message', ({ number, reply }: { number: number; reply?: unknown }) => {
      waiting[which]!.get(number)?.(reply);
      waiting[which]!.delete(number);
    });
    return instance;
  };
  const instances = await Promise.all(GLOBS.map(async (_, which) => listen(await start(), which)));
  const once: Once = (device, command, session, payload) =>
    new Promise((resolve) => {
      const which = device % instances.length;
      last += 1;
      if (!instances[which]!.isAlive) return resolve(undefined);
      waiting[which]!.set(last, resolve);
      // It may be ending: without a function for the failure it would be an event, as which nobody expects it.
      const sent = { number: last, command, session, payload, deadlineMs: DEADLINES_MS.inline };
      instances[which]!.process.send(sent, () => undefined);
    });
  return {
    ...asking(once),
    async killService(which) {
      await instances[which]!.kill('SIGKILL');
      instances[which] = listen(await start(), which);
    },
    async stop() {
      await Promise.all(instances.map((instance) => instance.kill('SIGTERM')));
    },
  };
}

function asking(once: Once): Pick<NoticeSite, 'ask' | 'disturb'> {
  let [faults, disturbing] = [0, 0];
  const ask = async (...[device, command, session, payload, isOver = () => false]: Parameters<NoticeSite['ask']>) => {
    const before = faults;
    let tries = 0;
    let reply: unknown;
    const isAnswered = async (): Promise<boolean> => {
      if (tries > 0) await sleep(PACE_MS);
      if (tries > 0 && isOver()) return true;
      tries += 1;
      reply = await once(device, command, session, payload);
      return reply !== undefined;
    };
    await waitUntil(`an answer to ${command}`, isAnswered, ALL_MS);
    return { reply, isRepeated: tries > 1 || disturbing > 0 || faults !== before };
  };
  const disturb = async (fault: () => Promise<void>): Promise<void> => {
    disturbing += 1;
    await fault();
    disturbing -= 1;
    faults += 1;
  };
  return { ask: ask as NoticeSite['ask'], disturb };
}

function later(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}
