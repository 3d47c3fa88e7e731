import type { CommandConnection } from '../../redis/index.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import type { SessionAddress, SessionRecords } from './session-records.ts';

/** Changes sealed data, which Redis cannot: `step` changes what was loaded and resolves with undefined where others were
 *  faster; then it is called again with what they left. Undefined where the session is not there (any more). `loaded`:
 *  what to begin with. Within this process one change of a session follows the other.
 *  @throws StoreUnavailableError where others are faster until the time is over. */
export function whileOthersChange<Result>(
  records: SessionRecords,
  redis: CommandConnection,
  address: SessionAddress,
  loaded: LoadedSession | undefined,
  step: (from: LoadedSession) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  return records.serialQueue.run(address.session, async () => {
    const deadline = performance.now() + records.settings.deadlineMs;
    for (let from = loaded; ; from = undefined) {
      from ??= await records.load(redis, address);
      if (!from) return undefined;
      const result = await step(from);
      if (result !== undefined) return result;
      if (performance.now() < deadline) continue;
      throw new StoreUnavailableError(
        `Others changed session ${address.session} faster than this change could be done: nothing was changed. Try again.`,
      );
    }
  });
}
