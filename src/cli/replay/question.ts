import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionClient } from '../../client/index.ts';
import type { CommandMap, CommandName } from '../../protocol/index.ts';
import { ReplayError } from './replay-error.ts';

// Long enough for a breaker to close after the service is back: it probes each 500 ms. No page waits for these answers.
const PATIENCE_MS = 5_000;
const RETRY_MS = 50;

/** Sends a request of the report, and repeats it for five seconds if it gets no answer.
 *  @throws ReplayError `NO_SERVICE` without an answer, or the signal's reason. */
export async function question<C extends CommandName>(
  client: SessionClient,
  command: C,
  session: string,
  payload: CommandMap[C]['payload'],
  signal: AbortSignal,
): Promise<CommandMap[C]['reply']> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const deadlineMs = Math.max(1, end - performance.now());
    const reply = await client.request(command, session, payload, { deadlineMs });
    if (reply) return reply;
    if (performance.now() + RETRY_MS > end) {
      throw new ReplayError(
        'NO_SERVICE',
        `The log was sent, but the service of the namespace "${client.namespace}" no longer answers: what the store knows could not be read.`,
      );
    }
    await sleep(RETRY_MS);
  }
}
