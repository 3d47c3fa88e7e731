import { heartbeatChannel, inboxChannel, topicPattern, wirePrefix } from '../../protocol/index.ts';
import type { FilterEngine } from '../../redis/index.ts';
import { type RemoteTransportName, routesOf } from '../../transport/index.ts';
import { connectionCommands } from './connection-commands.ts';
import type { Grant } from './grant.ts';
import { escapedPrefix, keyPatternsOf } from './key-patterns.ts';

/** Options of the rules of a service. */
export interface ServiceGrantOptions {
  readonly transport: RemoteTransportName;
  /** The globs of the instances that log in as this user. */
  readonly sessionglobs: readonly string[];
  /** Names of the commands that it subscribes to, aliases included. */
  readonly commands: readonly string[];
  readonly filter: FilterEngine;
  readonly cluster: boolean;
  /** The prefix under which a store writes sessions for connect-redis too. Default: none does. */
  readonly mirrorTo?: string | undefined;
}

/** Grants a service, `notices`, `inspect`, `erase` and `export` their commands on the keys of the namespace. */
export function serviceGrants(namespace: string, options: ServiceGrantOptions): Grant[] {
  const { transport, sessionglobs, commands, filter, cluster, mirrorTo } = options;
  const routes = routesOf(transport);
  const patterns = sessionglobs.flatMap((glob) => commands.map((command) => topicPattern(namespace, command, glob)));
  const root: Grant = {
    commands: [
      ...connectionCommands(cluster),
      ...['info', 'command|info', 'time', 'eval', 'evalsha', 'multi', 'exec'],
      ...['exists', 'ttl', 'pttl', 'expire', 'pexpire', 'pexpireat', 'del', 'unlink', 'memory|usage'],
      ...['get', 'mget', 'set', 'strlen', 'getrange', 'setrange', 'getbit', 'bitfield', 'pfadd', 'pfcount'],
      ...[
        'hget',
        'hmget',
        'hgetall',
        'hkeys',
        'hvals',
        'hlen',
        'hexists',
        'hrandfield',
        'hset',
        'hsetnx',
        'hincrby',
        'hdel',
      ],
      ...[
        'zadd',
        'zrem',
        'zcard',
        'zmscore',
        'zscore',
        'zscan',
        'zrange',
        'zrangebyscore',
        'zremrangebyscore',
        'zremrangebyrank',
      ],
      ...['lpush', 'xadd', 'xrange', 'xrevrange', 'xdel', 'xlen'],
      ...[
        'rename',
        'xsetid',
        'xinfo|stream',
        'xinfo|groups',
        'xinfo|consumers',
        'xgroup|create',
        'xgroup|createconsumer',
      ],
      ...['xpending', 'xclaim', 'xread', 'xreadgroup', 'xack', 'xgroup|delconsumer'],
      ...(routes.includes('streams') ? ['persist'] : []),
      ...(filter === 'native' ? ['bf.reserve', 'bf.add', 'bf.mexists', 'dump', 'restore'] : []),
    ],
    keys: [keyPatternsOf(namespace).everything],
  };
  return [
    root,
    { commands: ['subscribe'], channels: [heartbeatChannel(namespace)] },
    // Heartbeats and replies.
    { commands: ['publish', ...(cluster ? ['spublish'] : [])], channels: [inboxChannel(namespace, '*')] },
    ...(routes.includes('channels')
      ? [
          { commands: ['psubscribe', 'punsubscribe'], channels: patterns },
          { commands: ['lpush', 'pexpire', 'exists'], keys: [`${wirePrefix(namespace)}async:*`] },
        ]
      : []),
    // To erase a user's sessions with their copies.
    ...(mirrorTo === undefined ? [] : [{ commands: ['unlink'], writeKeys: [`${escapedPrefix(mirrorTo)}*`] }]),
  ];
}
