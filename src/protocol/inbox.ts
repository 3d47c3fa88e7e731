import { wirePrefix } from './namespace.ts';

/** A reply on an inbox: the request's number and the JSON. */
export interface InboxReply {
  readonly number: number;
  readonly json: string;
}

/** Names the channel on which a serving process receives all its replies: `async:<inbox>`. */
export function inboxChannel(namespace: string, inbox: string): string {
  return `${wirePrefix(namespace)}async:${inbox}`;
}

/** Writes one reply for an inbox: the request's number, a space, the JSON. Messages may be joined by line breaks, which
 *  JSON as we write it has none of. */
export function inboxMessage(number: string, json: string): string {
  return `${number} ${json}`;
}

/** Reads a message on an inbox: a reply from each of its lines; undefined for a line that is none. */
export function parseInboxMessage(message: string): (InboxReply | undefined)[] {
  return message.split('\n').map(parseLine);
}

function parseLine(line: string): InboxReply | undefined {
  const space = line.indexOf(' ');
  if (space < 1 || space > 16) return undefined;
  const number = Number(line.slice(0, space));
  return Number.isSafeInteger(number) ? { number, json: line.slice(space + 1) } : undefined;
}
