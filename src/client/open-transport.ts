import { COMMAND_NAMES, type CommandName, canonicalCommand, isKnownCommand, isWriting } from '../protocol/index.ts';
import { closestName } from '../protocol/internal/index.ts';
import { RedisTransport, type RedisTransportOptions } from '../transport/client/index.ts';
import { isRoute, ROUTES, type Route, type SessionTransport } from '../transport/index.ts';
import { InlineTransport } from '../transport/inline/index.ts';

/** The route of commands to the service. `mixed`: those that write go over streams, the rest over channels. `streams`: so do questions that no instance is known to serve over
 *  channels. An object names
 *  the routes of single commands; the rest goes over channels. To a service in the same process: `service.inline`. */
export type TransportChoice = Route | 'mixed' | Readonly<Partial<Record<CommandName, Route>>> | SessionTransport;

/** Opens the transport that was chosen for a client.
 *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
export function openTransport(
  transport: TransportChoice,
  options: Omit<RedisTransportOptions, 'redis' | 'routeOf' | 'asksOverChannels'> & {
    readonly redis?: RedisTransportOptions['redis'] | undefined;
  },
): SessionTransport {
  // A service's own is shared by all clients of the process, and outlives each of them.
  if (transport instanceof InlineTransport) return transport.another();
  if (isTransport(transport)) return transport;
  const routeOf = routeByCommand(transport);
  const { redis } = options;
  if (redis === undefined) throw new RangeError("redis is missing: give a URL, or a service's `inline` as transport.");
  // Questions write nothing: where all goes over streams, they still take the shorter way if there is one.
  return new RedisTransport({ ...options, redis, routeOf, asksOverChannels: transport === 'streams' });
}

type RouteChoice = Exclude<TransportChoice, SessionTransport>;

function isTransport(choice: TransportChoice): choice is SessionTransport {
  if (typeof choice !== 'object' || choice === null) return false;
  return ['request', 'publish', 'isDurable', 'sendDurably'].every((method) => method in choice);
}

function routeByCommand(choice: RouteChoice): (command: string) => Route {
  if (choice === 'mixed') return (command) => (isWriting(command) ? 'streams' : 'channels');
  if (isRoute(choice)) return () => choice;
  if (typeof choice !== 'object' || choice === null || Array.isArray(choice)) throw refusal('transport', choice);
  const chosen = checkChoices(choice);
  return (command) => chosen.get(canonicalCommand(command))?.route ?? 'channels';
}

/** Reads the routes that were chosen for single commands, by the commands' first names. */
function checkChoices(choice: object): Map<string, { readonly name: string; readonly route: Route }> {
  const chosen = new Map<string, { readonly name: string; readonly route: Route }>();
  for (const [name, route] of Object.entries(choice)) {
    if (!isKnownCommand(name)) throw unknownCommand(name);
    if (!isRoute(route)) throw refusal(`transport of ${name}`, route);
    const command = canonicalCommand(name);
    const other = chosen.get(command);
    if (other && other.route !== route) {
      throw new RangeError(
        `transport sends ${other.name} over ${other.route} and ${name} over ${route}, and these are two names of one command: give one of them.`,
      );
    }
    chosen.set(command, { name, route });
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
  const names = [...ROUTES, 'mixed'].map((name) => JSON.stringify(name));
  return new RangeError(
    `${what} ${shown} cannot be used: give ${names.join(', ')}, a route per command, or a service's \`inline\`.`,
  );
}
