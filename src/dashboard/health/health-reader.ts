import { setTimeout as sleep } from 'node:timers/promises';
import { examine, type Finding, judgePresence } from '../../doctor/index.ts';
import { HEARTBEAT_INTERVAL_MS } from '../../protocol/index.ts';
import { PARTITIONS } from '../../redis/index.ts';
import { type DeadLetter, DeadLetters } from '../../transport/service/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { BackgroundRead } from './background-read.ts';
import type { HeardInstance, InstanceWatch } from './instance-watch.ts';
import { type Part, partOf } from './part.ts';
import { type PartitionOwners, PartitionWatch } from './partition-watch.ts';
import { SubjectSizeSample, type SubjectSizes } from './subject-sizes.ts';
import { type Traffic, trafficOf } from './traffic.ts';
import { TrafficHistory, type TrafficLines } from './traffic-history.ts';

/** A row of the table of instances. */
export interface InstanceRow extends Traffic {
  readonly id: string;
  readonly version: string | null;
  readonly transport: string;
  /** Null where it takes no part of channels, as a service within an application. */
  readonly glob: string | null;
  /** `gone`: it said nothing for too long; `left`: it said good-bye. */
  readonly state: 'there' | 'gone' | 'left';
  /** For how many seconds nothing was heard of it. */
  readonly silentS: number;
  readonly uptimeS: number | null;
  readonly inFlight: number | null;
}

/** A dead letter, without its payload: that would tell the pages that a visitor looked at. */
export type LetterRow = Pick<DeadLetter, 'id' | 'at' | 'command' | 'session' | 'bytes' | 'reason'>;

/** What the page of health shows. */
export interface HealthData {
  readonly instances: Part<readonly InstanceRow[]>;
  /** Pairs of globs whose sessions two instances serve. */
  readonly overlaps: readonly (readonly [string, string])[];
  readonly partitions: Part<PartitionOwners>;
  readonly backlog: Part<{ readonly waiting: number; readonly partitions: readonly (readonly [number, number])[] }>;
  readonly deadLetters: Part<{ readonly count: number; readonly letters: readonly LetterRow[] }>;
  readonly traffic: Traffic;
  readonly lines: TrafficLines;
  /** Null until it was read. */
  readonly subjects: Part<SubjectSizes | null> | null;
  readonly findings: Part<readonly Finding[]> | null;
}

/** Each instance is heard of twice within it. */
const LISTENED_MS = 2 * HEARTBEAT_INTERVAL_MS;
const MINUTE_MS = 60_000;
const MOST_LETTERS = 20;
const MOST_BACKLOGS = 8;
const LETTERS_EVERY_MS = 5_000;
const SIZES_EVERY_MS = 30_000;
const FINDINGS_EVERY_MS = 30_000;

/** Reads the page of health. One a store: it remembers who owned what, and what was measured. */
export class HealthReader {
  readonly #store: DashboardStore;
  readonly #partitions: PartitionWatch;
  readonly #letters: DeadLetters;
  readonly #listed: BackgroundRead<DeadLetter[]>;
  readonly #sizes: BackgroundRead<SubjectSizes | null>;
  readonly #findings: BackgroundRead<Finding[]>;
  #history: TrafficHistory | undefined;

  constructor(store: DashboardStore) {
    const { redis, keys, seal } = store.namespace;
    this.#store = store;
    this.#partitions = new PartitionWatch(redis, keys);
    this.#letters = new DeadLetters(redis, keys, seal);
    this.#listed = new BackgroundRead(LETTERS_EVERY_MS, () => this.#letters.list(MOST_LETTERS));
    const sample = new SubjectSizeSample(redis, keys);
    this.#sizes = new BackgroundRead(SIZES_EVERY_MS, () => sample.read());
    this.#findings = new BackgroundRead(FINDINGS_EVERY_MS, () => this.#examine());
  }

  async read(): Promise<HealthData> {
    const watching = await partOf(() => this.#store.instances());
    const watch = 'value' in watching ? watching.value : undefined;
    const now = performance.now();
    const [partitions, backlog, deadLetters] = await Promise.all([
      partOf(() => this.#partitions.read()),
      partOf(() => this.#readBacklog()),
      partOf(() => this.#readLetters()),
    ]);
    if (watch) this.#history ??= new TrafficHistory(watch);
    return {
      instances: watch
        ? { value: watch.all().map((heard) => rowOf(heard, watch, now)) }
        : (watching as { trouble: string }),
      overlaps: watch ? overlapsOf(watch) : [],
      partitions,
      backlog,
      deadLetters,
      traffic: trafficOf(watch?.all() ?? [], MINUTE_MS, now),
      lines: this.#history?.lines() ?? { times: [], perSecond: [], p50Ms: [], p99Ms: [] },
      subjects: this.#sizes.last,
      findings: this.#findings.last,
    };
  }

  /** Lists the dead letters anew when next read. */
  forgetLetters(): void {
    this.#listed.forget();
  }

  async #readBacklog(): Promise<{ waiting: number; partitions: (readonly [number, number])[] }> {
    const { redis, keys } = this.#store.namespace;
    const lengths = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>('XLEN', keys.requests(partition))),
    );
    return {
      waiting: lengths.reduce((sum, length) => sum + length, 0),
      partitions: lengths
        .map((length, partition) => [partition, length] as const)
        .filter(([, length]) => length > 0)
        .sort(([, one], [, other]) => other - one)
        .slice(0, MOST_BACKLOGS),
    };
  }

  async #readLetters(): Promise<{ count: number; letters: LetterRow[] }> {
    const count = await this.#letters.count();
    const listed = this.#listed.last;
    if (listed && 'trouble' in listed) throw new Error(listed.trouble);
    const letters = count === 0 ? [] : (listed?.value ?? []);
    return {
      count,
      letters: letters.map(({ id, at, command, session, bytes, reason }) => ({
        ...{ id, at, command, session, bytes, reason: reason.slice(0, 300) },
      })),
    };
  }

  #examine(): Promise<Finding[]> {
    const { redis, keys } = this.#store.namespace;
    return examine(redis, keys.namespace, async () => {
      const watch = await this.#store.instances();
      // Who has just begun to listen has heard nobody yet.
      await sleep(Math.max(0, LISTENED_MS - watch.listenedMs()), undefined, { ref: false });
      return judgePresence(watch.presence, keys.namespace);
    });
  }
}

function rowOf(heard: HeardInstance, watch: InstanceWatch, now: number): InstanceRow {
  const last = heard.figures.at(-1)?.figures;
  const isThere = watch.isThere(heard);
  return {
    id: heard.id,
    version: last?.version ?? null,
    transport: heard.transport,
    glob: heard.glob ?? null,
    state: isThere ? 'there' : heard.saidGoodBye ? 'left' : 'gone',
    silentS: isThere ? 0 : Math.floor(watch.silentMs(heard) / 1_000),
    uptimeS: last?.uptimeS ?? null,
    inFlight: last?.inFlight ?? null,
    ...trafficOf(isThere ? [heard] : [], MINUTE_MS, now),
  };
}

function overlapsOf({ presence }: InstanceWatch): (readonly [string, string])[] {
  const pairs = presence.staying().flatMap((instance) => presence.overlapping(instance));
  // Each pair is found from both sides.
  return pairs.filter(({ instances: [one, other] }) => one < other).map(({ globs }) => globs);
}
