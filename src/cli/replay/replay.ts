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

/** Phases of a replay. */
type ReplayPhase = 'sending' | 'reading back' | 'verifying';

export interface ReplayOptions {
  readonly log: Pick<Log, 'name' | 'lines'>;
  readonly redis: string | ConnectionOptions;
  readonly namespace: string;
  /** Whether to count exactly as well and to compare. Default false. */
  readonly verify?: boolean;
  /** Requests in flight. Default 32. */
  readonly concurrency?: number;
  /** How long a view may wait for its answer, in milliseconds. Default 2,000: a replay is no page. */
  readonly deadlineMs?: number;
  /** How long to wait for a service, in milliseconds. Default 0: it must be running. */
  readonly waitMs?: number;
  /** Lifetime of a session with one view, in milliseconds. Default 30 minutes. */
  readonly bounceMs?: number;
  /** The least number of unseen pages that `verify` asks about, over all sessions of one form. Default 100,000. */
  readonly negativeProbes?: number;
  /** Stops the replay; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called when a phase begins; the replay waits for its promise. */
  readonly onPhase?: (phase: ReplayPhase) => void | Promise<void>;
  /** Called after each request. */
  readonly onSent?: (requests: number) => void;
}

/** Result of a complete replay. */
export interface ReplayOutcome {
  /** Figures for `--json`. */
  readonly report: ReplayReport;
  /** Further data for the report for people. */
  readonly findings: ReplayFindings;
}

/** Sends a log through the client, Redis and the service of the namespace, and reads the resulting data back; with
 *  `verify` it compares them with exact counts.
 *  @throws ReplayError, RedisUnavailableError, the signal's reason, or a RangeError for an unusable value. */
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
