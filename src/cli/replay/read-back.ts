import type { SessionClient } from '../../client/index.ts';
import type { AnalyticsReply } from '../../protocol/index.ts';
import { inFlight } from './in-flight.ts';
import { question } from './question.ts';
import type { Visitor } from './send-log.ts';

/** What the store knows after a replay. */
export interface ReadBack {
  /** Session -> what it answered; without those that have expired. */
  readonly visits: ReadonlyMap<string, AnalyticsReply>;
  /** Visitors with one view whose data has expired meanwhile, as it must. */
  readonly expired: number;
}

/** Asks the store what it knows of each visitor. `bounceMs`: after how long a session with one view expires; from nine
 *  tenths of it on such a session is taken for expired, so that none dies between two questions.
 *  @throws ReplayError where the service no longer answers, or the signal's reason. */
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
