import type { ServerAddress } from '../options/connection-options.ts';

/** The redirection of a node of a Cluster. `MOVED`: the slot has another master; `ASK`: the slot is moving, and this key
 *  has arrived there already. */
export interface Redirect {
  readonly kind: 'MOVED' | 'ASK';
  readonly slot: number;
  readonly to: Required<ServerAddress>;
}

/** Reads `MOVED <slot> <host>:<port>` and `ASK ...`; undefined for any other error. An empty host means the host
 *  `answeredBy` (Cluster specification, "MOVED Redirection"). */
export function readRedirect(error: unknown, answeredBy: string): Redirect | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d+) (\S*):(\d+)/.exec(error.message) ?? [];
  if (kind === undefined) return undefined;
  return {
    kind: kind as Redirect['kind'],
    slot: Number(slot),
    to: { host: host === '' || host === undefined ? answeredBy : host, port: Number(port) },
  };
}
