import { wirePrefix } from './namespace.ts';

/** Interval between heartbeats of an instance, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 500;
/** After how long without a heartbeat an instance counts as gone, in milliseconds. */
export const HEARTBEAT_TTL_MS: number = 3.5 * HEARTBEAT_INTERVAL_MS;

/** Silence after a good-bye from which an instance counts as gone, in milliseconds. A good-bye alone is no proof: other
 *  programs may publish it in the name of an instance that is still there and sends heartbeats. */
export const GOOD_BYE_SILENCE_MS: number = 1.5 * HEARTBEAT_INTERVAL_MS;

/** An instance, as its heartbeat describes it. */
export interface Heartbeat {
  /** The instance's own id, new at each start. */
  readonly instance: string;
  /** The sessions that it serves. */
  readonly glob: string;
  /** The commands that it serves. */
  readonly commands: readonly string[];
  /** True in the last heartbeat before it stops. */
  readonly leaving: boolean;
  /** Whether it works off streams. Left out: it does not. */
  readonly streams?: boolean;
  /** Whether it subscribes to channels. Left out: it does. */
  readonly channels?: boolean;
}

/** The channel of heartbeats. Under `async:`, because that is what a serving layer may subscribe to. */
export function heartbeatChannel(namespace: string): string {
  return `${wirePrefix(namespace)}async:_instances`;
}

/** Encodes a heartbeat as JSON. */
export function encodeHeartbeat({ streams = false, channels = true, ...heartbeat }: Heartbeat): string {
  return JSON.stringify({ ...heartbeat, ...(streams && { streams }), ...(!channels && { channels }) });
}

/** Reads a heartbeat; undefined for other messages, because other programs may publish on the channel. */
export function decodeHeartbeat(message: string): Required<Heartbeat> | undefined {
  if (message.length > 4096) return undefined;
  let value: Partial<Record<keyof Heartbeat, unknown>> | null;
  try {
    value = JSON.parse(message) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { instance, glob, commands } = value;
  if (typeof instance !== 'string' || typeof glob !== 'string' || !Array.isArray(commands)) return undefined;
  return {
    instance,
    glob,
    commands: commands.filter((name) => typeof name === 'string'),
    leaving: value.leaving === true,
    streams: value.streams === true,
    channels: value.channels !== false,
  };
}
