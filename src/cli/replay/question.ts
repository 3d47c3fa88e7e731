import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionClient } from '../../client/index.ts';
import type { CommandMap, CommandName } from '../../protocol/index.ts';
import { ReplayError } from './replay-error.ts';

// Nobody's page waits for these answers; an open breaker closes within half a second of the service's return.
const PATIENCE_MS = 5_000;
const RETRY_MS = 50;

/** Asks the store something that the report needs, again where no answer comes, for five seconds.
 *  @throws ReplayError `NO_SERVICE` where none came, or the signal's reason. */
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
