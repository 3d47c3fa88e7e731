import type { SessionClient } from '../../client/index.ts';
import type { AnalyticsReply } from '../../protocol/index.ts';
import { inFlight } from './in-flight.ts';
import { question } from './question.ts';
import type { Visitor } from './send-log.ts';

/** Data of the store after a replay. */
export interface ReadBack {
  /** Analytics by session, without the sessions that have expired. */
  readonly visits: ReadonlyMap<string, AnalyticsReply>;
  /** Visitors with one view whose data has expired meanwhile, as it must. */
  readonly expired: number;
}

/** Reads the analytics of each visitor. `bounceMs`: lifetime of a session with one view. After nine tenths of it such a
 *  session counts as expired, so that none expires between this question and later ones.
 *  @throws ReplayError if the service no longer answers, or the signal's reason. */
export async function readBack(
  client: SessionClient,
  visitors: readonly Visitor[],
  options: { readonly concurrency: number; readonly bounceMs: number; readonly signal: AbortSignal },
): Promise<ReadBack> {
  const { concurrency, bounceMs, signal } = options;
  const visits = new Map<string, AnalyticsReply>();
  let expired = 0;
  const ask = async ({ session, sent, lastSentMs }: Visitor): Promise<void> => {
    const visit = await question(client, 'session-analytics', session, '', signal);
    if (sent === 1 && performance.now() - lastSentMs > 0.9 * bounceMs) expired += 1;
    else visits.set(session, visit);
  };
  await inFlight(visitors, concurrency, ask, signal);
  return { visits, expired };
}
