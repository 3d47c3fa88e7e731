import { AsyncLocalStorage } from 'node:async_hooks';
import type { RedisConnection } from '../../../src/redis/index.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Note } from './plain-people.ts';

/** An operation of a schedule. Its commands are known by it, also those that arrive late. */
export interface Operation {
  /** How many of its commands were lost, or their answers. */
  faults: number;
  /** What it notes; undefined for one that merges. */
  readonly note?: Note;
  /** Whose that was at once: the person of a session that was claimed by then, else the subject itself. */
  notedFor?: string;
}

/** A script that Redis has run, with what was given and answered. */
export interface RunScript {
  readonly name: string;
  readonly key: string;
  /** Everything behind the keys. */
  readonly args: readonly (string | Buffer)[];
  readonly reply: unknown;
  readonly operation: Operation | undefined;
}

/** A script of which Redis has answered nothing: it may have run. */
export type UnsureScript = Omit<RunScript, 'reply'>;

const operations = new AsyncLocalStorage<Operation>();
const NOT_RUN = /^(CLUSTERDOWN|MOVED|LOADING|READONLY|TRYAGAIN|MASTERDOWN)\b/;
const EVALS = ['EVAL', 'EVALSHA'];

/** Runs an operation, so that its commands are known. */
export function runOperation<Result>(operation: Operation, work: () => Promise<Result>): Promise<Result> {
  return operations.run(operation, work);
}

/** A connection as a process has it: commands are lost on the way, or only their answers, or arrive when nobody waits for them
 *  any more; and the process ends after any command. */
export class FaultyConnection {
  /** Faults in a hundred commands. */
  rate = 0;
  /** So many commands are sent before the process ends. */
  livesFor: number = Number.POSITIVE_INFINITY;
  /** Commands that were lost and may still arrive. */
  readonly late: (() => Promise<unknown>)[] = [];
  readonly connection: RedisConnection;
  readonly #random: SeededRandom;
  readonly #ran: (script: RunScript) => void;
  readonly #unsure: (script: UnsureScript) => void;

  /** `ran` is told of each script when Redis has run it; `unsure` where the connection broke, so that nobody knows. */
  constructor(
    redis: RedisConnection,
    random: SeededRandom,
    ran: (script: RunScript) => void,
    unsure: (script: UnsureScript) => void,
  ) {
    this.#random = random;
    this.#ran = ran;
    this.#unsure = unsure;
    this.connection = Object.create(redis) as RedisConnection;
    // Each script travels whole, so its name can be read.
    this.connection.knownScripts = () => new Set();
    this.connection.command = (...args) => this.#pass(args, () => redis.command(...args));
    this.connection.commandForBuffers = (...args) => this.#pass(args, () => redis.commandForBuffers(...args));
  }

  get isDead(): boolean {
    return this.livesFor <= 0;
  }

  #pass<Reply>(args: readonly (string | Buffer)[], send: () => Promise<Reply>): Promise<Reply> {
    const operation = operations.getStore();
    if (this.isDead) {
      if (operation) operation.faults += 1;
      return Promise.reject(new Error('The process has ended.'));
    }
    this.livesFor -= 1;
    const observed = (): Promise<Reply> => this.#observe(args, operation, send);
    if (this.#random.below(100) >= this.rate) return observed();
    if (operation) operation.faults += 1;
    const lost = new Error('The connection was lost.');
    if (this.#random.below(2) === 0) return observed().then(() => Promise.reject(lost));
    this.late.push(observed);
    return Promise.reject(lost);
  }

  #observe<Reply>(
    args: readonly (string | Buffer)[],
    operation: Operation | undefined,
    send: () => Promise<Reply>,
  ): Promise<Reply> {
    const script = scriptOf(args, operation);
    return send().then(
      (reply) => {
        if (script) this.#ran({ ...script, reply });
        return reply;
      },
      (error: Error & { code?: string }) => {
        if (operation) operation.faults += 1;
        const mayHaveRun = error.code !== 'REDIS_NOT_READY' && !NOT_RUN.test(error.message);
        if (script && mayHaveRun) this.#unsure(script);
        throw error;
      },
    );
  }
}

function scriptOf(args: readonly (string | Buffer)[], operation: Operation | undefined): UnsureScript | undefined {
  const [name, source, count] = args.map(String);
  if (!EVALS.includes(name!)) return undefined;
  const keys = Number(count);
  return {
    name: /^-- (\S+)/.exec(source!)?.[1] ?? '',
    key: String(args[3]),
    args: args.slice(3 + keys),
    operation,
  };
}
