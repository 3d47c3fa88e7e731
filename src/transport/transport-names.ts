/* transport-names.ts: the names of the transports. Options, the command line, the configuration's schema and the ACL rules
 * take them from here. */

const SERVICE_TRANSPORTS = {
  channels: ['channels'],
  streams: ['streams'],
  both: ['channels', 'streams'],
  inline: [],
} as const;

/** Where a service's requests come from: over `channels`, over `streams`, over `both`, or `inline`, only from its own
 *  process. */
export type TransportName = keyof typeof SERVICE_TRANSPORTS;

/** A route of requests across Redis. */
export type Route = (typeof SERVICE_TRANSPORTS)[TransportName][number];

/** A transport that brings requests from other processes. */
export type RemoteTransportName = Exclude<TransportName, 'inline'>;

/** The names of all transports. */
export const TRANSPORT_NAMES: readonly TransportName[] = Object.keys(SERVICE_TRANSPORTS) as TransportName[];

/** The names of the transports that bring requests from other processes. */
export const REMOTE_TRANSPORT_NAMES: readonly RemoteTransportName[] = TRANSPORT_NAMES.filter(isRemote);

/** All routes. */
export const ROUTES: readonly Route[] = [...new Set(TRANSPORT_NAMES.flatMap(routesOf))];

/** The routes that a service with this transport serves. */
export function routesOf(transport: TransportName): readonly Route[] {
  return SERVICE_TRANSPORTS[transport];
}

/** Whether a value is the name of a route. */
export function isRoute(value: unknown): value is Route {
  return (ROUTES as readonly unknown[]).includes(value);
}

function isRemote(name: TransportName): name is RemoteTransportName {
  return routesOf(name).length > 0;
}
