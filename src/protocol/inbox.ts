import { wirePrefix } from './namespace.ts';

/** Names the channel on which a serving process receives all its replies: `async:<inbox>`. */
export function inboxChannel(namespace: string, inbox: string): string {
  return `${wirePrefix(namespace)}async:${inbox}`;
}

/** The message of one reply on an inbox: the request's number, a space, the JSON. */
export function inboxMessage(number: string, json: string): string {
  return `${number} ${json}`;
}

/** Splits an inbox message; undefined where it is not one. */
export function parseInboxMessage(message: string): { number: number; json: string } | undefined {
  const space = message.indexOf(' ');
  if (space < 1 || space > 16) return undefined;
  const number = Number(message.slice(0, space));
  return Number.isSafeInteger(number) ? { number, json: message.slice(space + 1) } : undefined;
}
