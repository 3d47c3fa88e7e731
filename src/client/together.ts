import { MAX_ITEMS, MAX_PARTS, MAX_PAYLOAD_BYTES } from '../protocol/index.ts';
import { checkReply } from '../protocol/internal/index.ts';
import type { PreparedCommand } from './prepared-command.ts';
import { malformed } from './reply-forms.ts';

/** A prepared command under the name by which it is sent. */
export interface NamedCommand {
  readonly command: string;
  readonly prepared: PreparedCommand<unknown>;
}

/** Writes commands as the payload of `together`. */
export function togetherText(parts: readonly NamedCommand[]): string {
  return `[${parts.map(partText).join()}]`;
}

/** Splits commands into messages that keep the bounds of `together`: 16 parts, 1,000 items, 64 KiB. A command that is
 *  alone in its message is sent as itself. */
export function splitByBounds<Part extends NamedCommand>(parts: readonly Part[]): Part[][] {
  const messages: Part[][] = [];
  let message: Part[] = [];
  let [items, bytes] = [0, 0];
  for (const part of parts) {
    const { items: partItems = 0 } = part.prepared;
    // A comma, or one of the brackets around all parts.
    const partBytes = Buffer.byteLength(partText(part)) + 1;
    items += partItems;
    bytes += partBytes;
    if (message.length === MAX_PARTS || items > MAX_ITEMS || bytes + 1 > MAX_PAYLOAD_BYTES) {
      if (message.length > 0) messages.push(message);
      message = [];
      [items, bytes] = [partItems, partBytes];
    }
    message.push(part);
  }
  if (message.length > 0) messages.push(message);
  return messages;
}

/** Returns the replies to the parts of a message, decoded from JSON.
 *  @throws MalformedReplyError where it has not one for each. */
export function readParts(reply: unknown, count: number): unknown[] {
  if (Array.isArray(reply) && reply.length === count) return reply;
  throw malformed('it has not a reply for each part');
}

/** Reads the reply to one part.
 *  @throws ProtocolError where it is an error reply, MalformedReplyError where it is not of its command's form. */
export function readPart({ prepared }: NamedCommand, reply: unknown): unknown {
  return prepared.read(checkReply(reply));
}

// A payload that is JSON stands as it is in the list, and any other as a string: nothing is encoded twice.
function partText({ command, prepared: { text, isJson } }: NamedCommand): string {
  return `["${command}",${isJson ? text : JSON.stringify(text)}]`;
}
