import type { CommandConnection } from '../../redis/index.ts';
import { StoreUnavailableError } from '../errors/store-unavailable-error.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import type { SessionRecords } from './session-records.ts';

/** Repeats a change of encrypted data, which Redis cannot merge, until no other process interferes. `step` changes a
 *  record and resolves with undefined where another write came first; it is then called again with the new record.
 *  `loaded`: the record to begin with. Changes of one session are queued within this process. Undefined: the session
 *  has ended.
 *  @throws StoreUnavailableError where other writes come first until the deadline. */
export function whileOthersChange<Result>(
  records: SessionRecords,
  redis: CommandConnection,
  reference: ResolvedReference,
  loaded: LoadedRecord | undefined,
  step: (from: LoadedRecord) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  return records.changeQueue.run(reference.session, async () => {
    const deadline = performance.now() + records.settings.deadlineMs;
    for (let from = loaded; ; from = undefined) {
      from ??= await records.load(redis, reference);
      if (!from) return undefined;
      const result = await step(from);
      if (result !== undefined) return result;
      if (performance.now() < deadline) continue;
      throw new StoreUnavailableError(
        `Others changed session ${reference.session} faster than this change could be done: nothing was changed. Try again.`,
      );
    }
  });
}
