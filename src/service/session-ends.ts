import type { RedisConnection } from '../redis/index.ts';
import type { ArchiveFunction } from '../sessions/index.ts';
import { Archiver, Sweeper } from '../sessions/maintenance/index.ts';
import type { Log } from './log.ts';
import { LogThrottle } from './log-throttle.ts';
import type { Metrics } from './metrics.ts';

/** Options for sessions that end. */
export interface SessionEndOptions {
  /** Whether sessions whose time is over are ended by this instance too. Default true. */
  readonly sweep?: boolean;
  /** The approximate length of the stream of lifecycle events. Default 10,000. */
  readonly lifecycleLength?: number;
  /** Encryption of the stores, so that their sealed sessions can be archived. */
  readonly encryption?: { readonly keys: readonly (string | Uint8Array)[]; readonly acceptPlain?: boolean };
}

const DEFAULT_LIFECYCLE_LENGTH = 10_000;
const LOG_INTERVAL_MS = 60_000;

/** Ends sessions that are due and takes them to the archive, where there is one. */
export class SessionEnds {
  readonly #sweeper: Sweeper | undefined;
  readonly #archiver: Archiver | undefined;

  /** @throws RangeError for options that cannot be used. */
  constructor(
    redis: RedisConnection,
    namespace: string,
    options: SessionEndOptions,
    archive: ArchiveFunction | undefined,
    enabled: () => boolean,
  ) {
    const { lifecycleLength = DEFAULT_LIFECYCLE_LENGTH, encryption } = options;
    if (!Number.isInteger(lifecycleLength) || lifecycleLength < 1) {
      throw new RangeError(`sessions.lifecycleLength ${lifecycleLength} cannot be used: give a whole number from 1.`);
    }
    const settings = { lifecycleLength, enabled };
    if (options.sweep ?? true) this.#sweeper = new Sweeper(redis, namespace, settings);
    if (archive) this.#archiver = new Archiver(redis, namespace, archive, { ...settings, encryption });
  }

  /** As far as this instance knows. */
  get archiveWaiting(): number {
    return this.#archiver?.waiting ?? 0;
  }

  async start(metrics: Metrics, log: Log): Promise<void> {
    this.#sweeper?.start();
    if (!this.#archiver) return;
    const throttle = new LogThrottle(LOG_INTERVAL_MS);
    let unlogged = 0;
    this.#archiver.on('archived', () => metrics.archived.inc());
    this.#archiver.on('back', () => log.info({}, 'The archive takes sessions again.'));
    this.#archiver.on('failed', (error, { session, attempts }) => {
      metrics.archiveFailures.inc();
      unlogged += 1;
      if (!throttle.mayLog()) return;
      log.warn(
        { session, attempts, failures: unlogged, waiting: this.archiveWaiting, reason: describeFailure(error) },
        'Ended sessions could not be archived: they wait in Redis and are tried again.',
      );
      unlogged = 0;
    });
    this.#archiver.on('missing', ({ session }) =>
      log.warn({ session }, 'Nothing was left of an ended session that waited for the archive.'),
    );
    await this.#archiver.start();
  }

  /** Never throws. */
  async stop(deadlineMs: number): Promise<void> {
    this.#sweeper?.stop();
    await this.#archiver?.stop(deadlineMs);
  }
}

// A refused connection to a name with several addresses is an error without a message.
function describeFailure(error: Error): string {
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name);
}
