/** Message of an instance that has given partitions back, on the channel of heartbeats. So their next owner can take
 *  them at once, and not only at its next check. */
export interface FreedPartitions {
  readonly instance: string;
  /** Numbers of partitions, from 0. */
  readonly freed: readonly number[];
}

/** Encodes it as JSON. */
export function encodeFreedPartitions({ instance, freed }: FreedPartitions): string {
  return JSON.stringify({ instance, freed });
}

/** Reads the message; undefined for other messages, because other programs may publish on the channel. */
export function decodeFreedPartitions(message: string): FreedPartitions | undefined {
  if (message.length > 1_024 || !message.includes('"freed"')) return undefined;
  let value: { instance?: unknown; freed?: unknown } | null;
  try {
    value = JSON.parse(message) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { instance, freed } = value;
  if (typeof instance !== 'string' || !Array.isArray(freed) || !freed.every(Number.isInteger)) return undefined;
  return { instance, freed };
}
