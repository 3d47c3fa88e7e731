import { type CommandConnection, type Keys, PARTITIONS, partitionOf, type RedisConnection } from '../../redis/index.ts';
import { type DeferredIndexWrites, deferredIndexWritesOf, eventKeys } from '../cluster/deferred-index-writes.ts';
import { sessionOfMember } from '../cluster/user-index.ts';
import { isWrongType } from '../errors/redis-errors.ts';
import { PREVIOUS_LENGTH, readHeader, SHORT_HEADER, USER_LENGTH } from '../record/record-header.ts';
import { findWaiting } from './scripts/find-waiting.ts';

/** Runs one step of a long operation, with a deadline of its own. `key`: the first that the step goes to. */
export type RunStep = <Result>(key: string, work: (redis: CommandConnection) => Promise<Result>) => Promise<Result>;

/** Parts that work on a subject needs. */
export interface SubjectContext {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly step: RunStep;
  /** Length of the stream of lifecycle events, about. */
  readonly lifecycleLength: number;
  /** Whether sessions may have copies for connect-redis (`mirrorTo`), which are erased with them. */
  readonly mirrors: boolean;
}

const WAITING_AT_ONCE = 500;
const RECORDS_AT_ONCE = 200;
const LONGEST_HEADER = SHORT_HEADER + PREVIOUS_LENGTH + USER_LENGTH;

/** Finds the sessions of a user whose records are stored: those of the user's index, and ended ones that wait for the
 *  archive, which have left it. */
export class SubjectSessions {
  readonly deferredWrites: DeferredIndexWrites | undefined;
  readonly #context: SubjectContext;

  constructor(context: SubjectContext) {
    this.#context = context;
    this.deferredWrites = deferredIndexWritesOf(context.redis, context.keys, context.lifecycleLength);
  }

  /** Lists the sessions of a user's index. It may name sessions that are not the user's. `user`: a `userReference`. */
  async listed(user: string): Promise<string[]> {
    const index = this.#context.keys.userSessions(user);
    const members = await this.#context.step(index, (redis) => redis.command<string[]>('ZRANGE', index, '0', '-1'));
    return members.map(sessionOfMember);
  }

  /** Of some sessions those whose records name the user, whether they live or not. */
  async owned(user: string, sessions: readonly string[]): Promise<string[]> {
    const { keys, step } = this.#context;
    const owned: string[] = [];
    for (let at = 0; at < sessions.length; at += RECORDS_AT_ONCE) {
      const some = sessions.slice(at, at + RECORDS_AT_ONCE);
      const heads = await step(keys.record(some[0]!), (redis) =>
        Promise.all(
          some.map((session) =>
            redis
              .commandForBuffers<Buffer>('GETRANGE', keys.record(session), '0', String(LONGEST_HEADER - 1))
              .catch(unreadableHead),
          ),
        ),
      );
      owned.push(...some.filter((_, i) => userIn(heads[i]!) === user));
    }
    return owned;
  }

  /** Lists the user's ended sessions that wait for the archive. */
  async waiting(user: string): Promise<string[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    // New ones first: one that fails meanwhile moves to the failed ones, and is found there.
    const found = await Promise.all(
      partitions.map(async (partition) => [
        ...(await this.#waitingIn(partition, 'ended', user)),
        ...(await this.#waitingIn(partition, 'failed', user)),
      ]),
    );
    return [...new Set(found.flat())];
  }

  async #waitingIn(partition: number, queue: 'ended' | 'failed', user: string): Promise<string[]> {
    const { keys, redis } = this.#context;
    const ended = keys.ended(partition);
    const { absent } = eventKeys(redis, keys, partition);
    const sessions: string[] = [];
    for (let cursor = ''; cursor !== '0'; ) {
      const args = { namespace: keys.namespace, queue, user, cursor: cursor || '0', count: WAITING_AT_ONCE };
      const [next, ...some] = await this.#context.step(ended, (step) => findWaiting.run(step, { ended, absent }, args));
      sessions.push(...some);
      cursor = next;
    }
    return sessions;
  }

  /** The partitions of some sessions, each once. */
  partitionsOf(sessions: readonly string[]): number[] {
    return [...new Set(sessions.map(partitionOf))];
  }
}

/** No head, for a key that holds other data.
 *  @throws any other error. */
function unreadableHead(error: unknown): Buffer {
  if (isWrongType(error)) return Buffer.alloc(0);
  throw error;
}

/** The user that the head of a record names; undefined also where it cannot be read. */
function userIn(head: Buffer): string | undefined {
  try {
    return readHeader(head).user;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
