import type { EventEmitter } from 'node:events';
import type { RedisConnection } from '../../redis/index.ts';
import { Archiver } from '../archive/archiver.ts';
import { Sweeper } from '../expiry/sweeper.ts';
import type { SessionDataOptions, SessionDataSettings } from '../options.ts';
import type { SessionDataEvents } from '../session-data-events.ts';

/** Work of a store beside its operations: ends sessions whose time is over, and hands ended ones to the archive. */
export class SessionDataMaintenance {
  readonly #sweeper: Sweeper | undefined;
  readonly #archiver: Archiver | undefined;

  /** Starts what the options ask for; `events` gets the archive's failures.
   *  @throws RangeError for encryption keys that are none. */
  constructor(
    redis: RedisConnection,
    settings: SessionDataSettings,
    { sweep = true, archive, encryption }: SessionDataOptions,
    events: EventEmitter<SessionDataEvents>,
  ) {
    const { namespace, lifecycleLength } = settings;
    if (sweep) this.#sweeper = new Sweeper(redis, namespace, settings).start();
    if (!archive) return;
    this.#archiver = new Archiver(redis, namespace, archive, { lifecycleLength, ...(encryption && { encryption }) });
    this.#archiver.on('failed', (failure) => events.emit('archive:failed', failure));
    this.#archiver.on('back', () => events.emit('archive:back'));
    void this.#archiver.start();
  }

  /** Stops; resolves when no session is with the archive any more. */
  async stop(): Promise<void> {
    this.#sweeper?.stop();
    await this.#archiver?.stop();
  }
}
