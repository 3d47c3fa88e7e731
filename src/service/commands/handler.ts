import type { Knowledge, SubjectReading } from '../../knowledge/index.ts';
import type { CanonicalCommand, CommandMap } from '../../protocol/index.ts';
import type { Apply } from '../../transport/index.ts';
import type { Combos } from '../combos.ts';

/** Parts that a command may use. */
export interface CommandContext {
  readonly knowledge: Knowledge;
  readonly combos: Combos;
  /** Whether `at` in a page view counts; else it is ignored and `timeIgnored` is called. */
  readonly acceptTimes: boolean;
  timeIgnored(): void;
}

/** Serves one command: reads the payload, does it and answers.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export type Handler<Name extends CanonicalCommand> = (
  context: CommandContext,
  session: string,
  payload: string,
  apply: Apply,
) => Promise<CommandMap[Name]['reply']>;

/** Makes a handler of two steps.
 *  `parse` reads the payload and is pure; it throws ProtocolError `bad-payload` or `too-large`.
 *  `run` does the command and answers. All its writes are one step, which `apply` does: by itself, or together with the
 *  transport's own note that the request is done. */
export function makeHandler<Name extends CanonicalCommand, Input>({
  parse,
  run,
}: {
  parse(payload: string): Input;
  run(context: CommandContext, subject: SubjectReading, input: Input, apply: Apply): Promise<CommandMap[Name]['reply']>;
}): Handler<Name> {
  // A refused payload must reject, not throw.
  return async (context, session, payload, apply) =>
    run(context, context.knowledge.read(session), parse(payload), apply);
}
