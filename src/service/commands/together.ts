import type { SubjectReading } from '../../knowledge/index.ts';
import {
  type CanonicalCommand,
  canonicalCommand,
  isQuestion,
  MAX_ITEMS,
  MAX_PARTS,
  ProtocolError,
  UnknownCommandError,
} from '../../protocol/index.ts';
import { decodePayload, type ErrorReply, errorReply, excerpt } from '../../protocol/internal/index.ts';
import type { Apply } from '../../redis/index.ts';
import { type CommandContext, type Handler, makeHandler } from './handler.ts';

/* together.ts: all that a page asks at once, as one message. Each part is parsed and answered as the single command would
 * be, and fails alone. A page view stands in front, and counts before the questions are asked: so they see it. */

type SingleHandlers = Readonly<Record<string, Handler<CanonicalCommand>>>;

/** A part that was read, or why it cannot be served. */
type Part =
  | { readonly command: string; readonly handler: Handler<CanonicalCommand>; readonly input: unknown }
  | { readonly command: string; readonly error: unknown };

const EXPECTED = 'a JSON array of [command, payload]';

/** Makes the handler of `together` from those of the single commands. */
export function makeTogether(handlers: SingleHandlers): Handler<'together'> {
  return makeHandler<'together', Part[]>({
    parse: (payload) => parseParts(handlers, payload),
    run: async (context, subject, parts, apply) => {
      const answers: Promise<unknown>[] = [];
      const answer = (isNow: (part: Part) => boolean): void => {
        for (const [i, part] of parts.entries()) {
          if (isNow(part)) answers[i] = answerPart(context, subject, part, apply);
        }
      };
      // What becomes the person's is seen by all other parts, and the view by all questions.
      for (const first of [IDENTIFY, VIEW]) {
        // Without a pause where there is none: a mark that came behind must not overtake the questions.
        if (!parts.some(({ command }) => command === first)) continue;
        answer(({ command }) => command === first);
        await Promise.all(answers);
      }
      answer(({ command }) => command !== IDENTIFY && command !== VIEW);
      return Promise.all(answers);
    },
  });
}

const VIEW = 'pageview';
const IDENTIFY = 'identify';

function parseParts(handlers: SingleHandlers, payload: unknown): Part[] {
  const value = decodePayload(payload, EXPECTED);
  if (!Array.isArray(value)) {
    throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} is not an array: give ${EXPECTED}.`);
  }
  if (value.length > MAX_PARTS) {
    throw new ProtocolError('too-large', `The payload has ${value.length} parts: give at most ${MAX_PARTS}.`);
  }
  const parts = value.map((part, i) => parsePart(handlers, part, i));
  const items = parts.reduce((sum, part) => sum + ('error' in part ? 0 : part.handler.items(part.input)), 0);
  if (items <= MAX_ITEMS) return parts;
  throw new ProtocolError('too-large', `The parts have ${items} items together: give at most ${MAX_ITEMS}.`);
}

function parsePart(handlers: SingleHandlers, part: unknown, place: number): Part {
  let command = 'unknown';
  try {
    if (!Array.isArray(part) || part.length !== 2 || typeof part[0] !== 'string') {
      throw new ProtocolError('bad-payload', `The part ${excerpt(part)} is not [command, payload].`);
    }
    const [name, payload] = part;
    const handler = Object.hasOwn(handlers, canonicalCommand(name)) ? handlers[canonicalCommand(name)] : undefined;
    if (name !== 'together' && !handler) throw new UnknownCommandError();
    command = canonicalCommand(name);
    if (!handler || !(isQuestion(name) || (name === VIEW && place === 0))) throw notHere(name);
    return { command, handler, input: handler.parse(payload) };
  } catch (error) {
    return { command, error };
  }
}

function notHere(name: string): ProtocolError {
  const why = name === VIEW ? 'pageview can only be the first part' : `${name} cannot be a part of together`;
  return new ProtocolError('bad-payload', `${why}: send it alone.`);
}

/** Answers one part, and counts it as the single command would be. */
async function answerPart(
  context: CommandContext,
  subject: SubjectReading,
  part: Part,
  apply: Apply,
): Promise<unknown | ErrorReply> {
  try {
    if ('error' in part) throw part.error;
    return await part.handler.run(context, subject, part.input, apply);
  } catch (error) {
    return errorReply(context.partFailed(part.command, error));
  } finally {
    context.partServed(part.command);
  }
}
