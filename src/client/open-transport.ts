import { type CommandName, isWriting } from '../protocol/index.ts';
import { RedisTransport, type RedisTransportOptions, type RedisWay } from '../transport/redis-transport.ts';
import type { SessionTransport } from '../transport/transport.ts';

/** Which way commands take to the service. `mixed`: those that write over streams, the rest over channels. An object
 *  names commands that do not go over channels. Of a service in the same process, `service.inline`. */
export type TransportChoice = RedisWay | 'mixed' | Readonly<Partial<Record<CommandName, RedisWay>>> | SessionTransport;

/** Opens what a client was told to use.
 *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
export function openTransport(
  transport: TransportChoice,
  options: Omit<RedisTransportOptions, 'redis' | 'wayOf'> & {
    readonly redis?: RedisTransportOptions['redis'] | undefined;
  },
): SessionTransport {
  if (typeof transport === 'object' && 'request' in transport) return transport as SessionTransport;
  const { redis } = options;
  if (redis === undefined) throw new RangeError("redis is missing: give a URL, or a service's `inline` as transport.");
  const wayOf = wayByCommand(transport as Exclude<TransportChoice, SessionTransport>);
  return new RedisTransport({ ...options, redis, wayOf });
}

function wayByCommand(choice: Exclude<TransportChoice, SessionTransport>): (command: string) => RedisWay {
  if (choice === 'mixed') return (command) => (isWriting(command) ? 'streams' : 'channels');
  if (choice === 'channels' || choice === 'streams') return () => choice;
  const ways = new Map(Object.entries(typeof choice === 'object' && choice !== null ? choice : { '': choice }));
  for (const [command, way] of ways) {
    if (way === 'channels' || way === 'streams') continue;
    throw new RangeError(
      `transport ${command === '' ? '' : `of ${command} `}${JSON.stringify(way)} cannot be used: give "channels", "streams", "mixed" or one way per command.`,
    );
  }
  return (command) => ways.get(command) ?? 'channels';
}
