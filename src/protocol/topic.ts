import { wirePrefix } from './namespace.ts';

/** A request as it stands in a channel's name: `ss:<command>:<session>:<request>[:<payload>]`. */
export interface Topic {
  readonly command: string;
  readonly session: string;
  readonly request: string;
  /** The fifth part, verbatim; undefined where the channel has four parts and the payload is the message. */
  readonly payload: string | undefined;
}

const SESSION = /^[A-Za-z0-9_-]{1,128}$/;
const COMMAND = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Whether `session` may stand in a channel or a key: 1 to 128 of `[A-Za-z0-9_-]`. */
export function isSession(session: string): boolean {
  return SESSION.test(session);
}

/** Whether `command` has the form of a command's name. The command may still be unknown to every service. */
export function isCommandName(command: string): boolean {
  return COMMAND.test(command);
}

/** `ss:<command>:<session>:<request>`, prefixed where the namespace is not the default. */
export function topicChannel(namespace: string, command: string, session: string, request: string): string {
  return `${wirePrefix(namespace)}ss:${command}:${session}:${request}`;
}

/** The list on which a caller without an inbox waits: `async:<command>:<session>:<request>`. */
export function replyKey(namespace: string, topic: Pick<Topic, 'command' | 'session' | 'request'>): string {
  return `${wirePrefix(namespace)}async:${topic.command}:${topic.session}:${topic.request}`;
}

/** The pattern that an instance subscribes to for one command: `ss:<command>:<glob>:?*`. */
export function topicPattern(namespace: string, command: string, glob: string): string {
  return `${wirePrefix(namespace)}ss:${command}:${glob}:?*`;
}

/** Reads a channel's name. Undefined where it is not of the form, or where session or request hold a character that
 *  must never reach a key's name. The request's own form is `parseRequestId`'s to judge. */
export function parseTopic(namespace: string, channel: string): Topic | undefined {
  const prefix = `${wirePrefix(namespace)}ss:`;
  if (!channel.startsWith(prefix)) return undefined;
  const afterCommand = channel.indexOf(':', prefix.length);
  if (afterCommand < 0) return undefined;
  const afterSession = channel.indexOf(':', afterCommand + 1);
  if (afterSession < 0) return undefined;
  const afterRequest = channel.indexOf(':', afterSession + 1);
  const command = channel.slice(prefix.length, afterCommand);
  const session = channel.slice(afterCommand + 1, afterSession);
  const request = afterRequest < 0 ? channel.slice(afterSession + 1) : channel.slice(afterSession + 1, afterRequest);
  if (!isCommandName(command) || !isSession(session)) return undefined;
  return { command, session, request, payload: afterRequest < 0 ? undefined : channel.slice(afterRequest + 1) };
}
