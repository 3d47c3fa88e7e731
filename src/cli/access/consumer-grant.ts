import type { Grant } from './grant.ts';

/** The commands that consume a stream by a consumer group: they add nothing to it and delete nothing of it. */
export const CONSUMER_COMMANDS: readonly string[] = [
  ...['eval', 'evalsha', 'exists', 'time', 'xread', 'xrange', 'xreadgroup', 'xack', 'xclaim', 'xpending'],
  ...['xinfo|stream', 'xinfo|groups', 'xinfo|consumers', 'xgroup|create', 'xgroup|delconsumer'],
];

/** Grants a consumer group's loops their stream. */
export function consumerGrant(stream: string): Grant {
  return { commands: CONSUMER_COMMANDS, keys: [stream] };
}
