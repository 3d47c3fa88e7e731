import { SessionClient } from '../../client/index.ts';
import { type ConnectionOptions, createConnection } from '../../redis/index.ts';
import { askSeen } from './ask-seen.ts';
import { ExactCount } from './exact-count.ts';
import { settledMemory } from './memory.ts';
import { readBack } from './read-back.ts';
import type { Log } from './read-log.ts';
import { ReplayError } from './replay-error.ts';
import { type ReplayFindings, type ReplayReport, reportOf } from './report.ts';
import { sendLog } from './send-log.ts';
import { tryService } from './try-service.ts';

/** What a replay is doing. */
type ReplayPhase = 'sending' | 'reading back' | 'verifying';

export interface ReplayOptions {
  readonly log: Pick<Log, 'name' | 'lines'>;
  readonly redis: string | ConnectionOptions;
  readonly namespace: string;
  /** Whether to count exactly beside it and to compare. Default false. */
  readonly verify?: boolean;
  /** Requests in flight. Default 32. */
  readonly concurrency?: number;
  /** How long a view may wait for its answer, in milliseconds. Default 2,000: a replay is no page. */
  readonly deadlineMs?: number;
  /** How long to wait until a service listens, in milliseconds. Default 0: it must be there. */
  readonly waitMs?: number;
  /** After how long a session with one view expires, in milliseconds. Default 30 minutes. */
  readonly bounceMs?: number;
  /** How many pages that a session has not seen `verify` asks for, at least, of the sessions of each form together.
   *  Default 100,000. */
  readonly negativeProbes?: number;
  /** Stops it; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Told, and waited for, when a phase begins. */
  readonly onPhase?: (phase: ReplayPhase) => void | Promise<void>;
  /** Told after each request. */
  readonly onSent?: (requests: number) => void;
}

/** A replay that ran to its end. */
export interface ReplayOutcome {
  /** What `--json` prints. */
  readonly report: ReplayReport;
  /** What else the report for people tells. */
  readonly findings: ReplayFindings;
}

/** Sends a log through the client, Redis and the service that serves the namespace there, and reads back what the store
 *  knows then; with `verify` it counts exactly beside it.
 *  @throws ReplayError, RedisUnavailableError, the signal's reason, or a RangeError for a value that cannot be used. */
export async function replay(options: ReplayOptions): Promise<ReplayOutcome> {
  const { log, namespace, verify = false, concurrency = 32, deadlineMs = 2_000, waitMs = 0 } = options;
  const {
    negativeProbes = 100_000,
    bounceMs = 30 * 60_000,
    signal = new AbortController().signal,
    onPhase,
    onSent,
  } = options;
  const redis = await createConnection(options.redis, 'sessionwise-replay').connect();
  let client: SessionClient | undefined;
  try {
    client = new SessionClient({ redis: options.redis, namespace, deadlineMs });
    let overlaps = 0;
    client.on('overlap', () => {
      overlaps += 1;
    });
    await client.ready();
    await tryService(client, redis, { waitMs, concurrency, deadlineMs, signal });

    await onPhase?.('sending');
    const exact = verify ? new ExactCount() : undefined;
    const bytesBefore = await settledMemory(redis, signal);
    const sent = await sendLog(client, log.lines, { concurrency, deadlineMs, exact, signal, onSent });
    if (sent.requests === 0) {
      throw new ReplayError('NO_REQUESTS', describeEmpty(log.name, sent.skippedLines));
    }
    const bytesAfter = await settledMemory(redis, signal);

    await onPhase?.('reading back');
    const back = await readBack(client, sent.visitors, { concurrency, bounceMs, signal });
    if (exact) await onPhase?.('verifying');
    const seen =
      exact && (await askSeen(client, redis, exact, [...back.visits.keys()], { concurrency, signal, negativeProbes }));
    const bytes = bytesBefore === null || bytesAfter === null ? null : bytesAfter - bytesBefore;
    const findings = { sent, back, exact, seen, bytes, overlaps };
    return { report: reportOf(findings), findings };
  } finally {
    await client?.close();
    await redis.close();
  }
}

function describeEmpty(name: string, skippedLines: number): string {
  if (skippedLines === 0) return `The log ${name} is empty.`;
  const lines = skippedLines === 1 ? 'its one line is none' : `none of its ${skippedLines} lines is one`;
  return `The log ${name} holds no request for a path, ${lines}: give an Apache or nginx access log, common or combined format.`;
}
