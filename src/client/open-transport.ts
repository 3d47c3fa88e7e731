import { closestName } from '../protocol/closest-name.ts';
import { COMMAND_NAMES, type CommandName, canonicalCommand, isKnownCommand, isWriting } from '../protocol/index.ts';
import { InlineTransport } from '../transport/inline-transport.ts';
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
  // A service's own is shared by all clients of the process, and outlives each of them.
  if (transport instanceof InlineTransport) return transport.another();
  if (isTransport(transport)) return transport;
  const wayOf = wayByCommand(transport);
  const { redis } = options;
  if (redis === undefined) throw new RangeError("redis is missing: give a URL, or a service's `inline` as transport.");
  return new RedisTransport({ ...options, redis, wayOf });
}

type Ways = Exclude<TransportChoice, SessionTransport>;

function isTransport(choice: TransportChoice): choice is SessionTransport {
  return typeof choice === 'object' && choice !== null && 'request' in choice && 'publish' in choice;
}

function wayByCommand(choice: Ways): (command: string) => RedisWay {
  if (choice === 'mixed') return (command) => (isWriting(command) ? 'streams' : 'channels');
  if (choice === 'channels' || choice === 'streams') return () => choice;
  if (typeof choice !== 'object' || choice === null || Array.isArray(choice)) throw refusal('transport', choice);
  const chosen = checkChoices(choice);
  return (command) => chosen.get(canonicalCommand(command))?.way ?? 'channels';
}

/** Reads the ways that were chosen for single commands, by the commands' first names. */
function checkChoices(choice: object): Map<string, { readonly name: string; readonly way: RedisWay }> {
  const chosen = new Map<string, { readonly name: string; readonly way: RedisWay }>();
  for (const [name, way] of Object.entries(choice)) {
    if (!isKnownCommand(name)) throw unknownCommand(name);
    if (way !== 'channels' && way !== 'streams') throw refusal(`transport of ${name}`, way);
    const command = canonicalCommand(name);
    const other = chosen.get(command);
    if (other && other.way !== way) {
      throw new RangeError(
        `transport sends ${other.name} over ${other.way} and ${name} over ${way}, and these are two names of one command: give one of them.`,
      );
    }
    chosen.set(command, { name, way });
  }
  return chosen;
}

function unknownCommand(name: string): RangeError {
  const meant = closestName(name, COMMAND_NAMES);
  const hint = meant === undefined ? `known are ${COMMAND_NAMES.join(', ')}.` : `did you mean "${meant}"?`;
  return new RangeError(`transport names ${JSON.stringify(name.slice(0, 60))}, and there is no such command: ${hint}`);
}

function refusal(what: string, value: unknown): RangeError {
  const shown = JSON.stringify(value) ?? String(value);
  return new RangeError(
    `${what} ${shown} cannot be used: give "channels", "streams", "mixed", one of the first two per command, or a service's \`inline\`.`,
  );
}
