import { withDeadline } from '../../async/index.ts';
import type { CommandConnection } from '../../redis/index.ts';
import { SubjectTimeoutError } from './subject-timeout-error.ts';

const DEADLINE_MS = 5_000;

/** Gives each command of a connection a deadline of five seconds.
 *  @throws SubjectTimeoutError, from its commands. */
export function boundedCommands(redis: CommandConnection): CommandConnection {
  const late = (): never => {
    throw new SubjectTimeoutError(DEADLINE_MS);
  };
  return {
    knownScripts: (key) => redis.knownScripts(key),
    command: <Reply>(...args: readonly (string | Buffer)[]) =>
      withDeadline(redis.command<Reply>(...args), DEADLINE_MS, late),
    commandForBuffers: <Reply>(...args: readonly (string | Buffer)[]) =>
      withDeadline(redis.commandForBuffers<Reply>(...args), DEADLINE_MS, late),
  };
}
