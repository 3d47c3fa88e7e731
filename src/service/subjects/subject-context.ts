import type { RunStep, SubjectContext } from '../../sessions/maintenance/index.ts';
import type { Namespace } from '../open-namespace.ts';
import { boundedCommands } from './bounded-commands.ts';

/** Longer than any stream: an erasure appends events and deletes them, and must not shorten the stream of a store that
 *  keeps more than others. */
const ANY_LENGTH = Number.MAX_SAFE_INTEGER;

/** Makes the context of work on a subject's session data over a namespace's connection. */
export function subjectContextOf({ redis, keys }: Namespace): SubjectContext {
  const bounded = boundedCommands(redis);
  const step: RunStep = (_key, work) => work(bounded);
  // In a Cluster no store has mirrors.
  return { redis, keys, step, lifecycleLength: ANY_LENGTH, mirrors: !redis.movesSlots };
}
