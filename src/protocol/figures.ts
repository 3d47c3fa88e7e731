import { wirePrefix } from './namespace.ts';

/* figures.ts: what an instance tells of its work, for those who look at it. Apart from heartbeats, which every serving
 * process reads: these are heard only while somebody subscribes. */

/** Interval between the figures of an instance, in milliseconds. */
export const FIGURES_INTERVAL_MS = 1_000;

/** Upper bounds of the counts of `latency`, in seconds; one more count is of what took longer. */
export const LATENCY_BOUNDS_S: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5,
];

const NUMBERS = [
  'uptimeS',
  'requests',
  'failed',
  'late',
  'refused',
  'inFlight',
  'backlog',
  'partitions',
  'overlap',
] as const;
const LONGEST = 4_096;
const LONGEST_TEXT = 64;

/** What an instance has done since it started; counts only grow. */
export interface InstanceFigures extends Readonly<Record<(typeof NUMBERS)[number], number>> {
  /** Its id, as in its heartbeats. */
  readonly instance: string;
  /** The package's version. */
  readonly version: string;
  readonly transport: string;
  /** How many requests took how long: one count a bound of `LATENCY_BOUNDS_S`, each of what took no longer than the bound and
   *  longer than the one before; the last of what took longer than all. */
  readonly latency: readonly number[];
}

/** The channel of figures. */
export function figuresChannel(namespace: string): string {
  return `${wirePrefix(namespace)}async:_figures`;
}

/** Encodes figures as JSON. */
export function encodeFigures(figures: InstanceFigures): string {
  return JSON.stringify(figures);
}

/** Reads figures; undefined for other messages, because other programs may publish on the channel. */
export function decodeFigures(message: string): InstanceFigures | undefined {
  if (message.length > LONGEST) return undefined;
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(message);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { instance, version, transport, latency } = value;
  const texts = [instance, version, transport];
  if (!texts.every((text) => typeof text === 'string' && text.length <= LONGEST_TEXT)) return undefined;
  const isCount = (count: unknown): boolean => typeof count === 'number' && Number.isFinite(count) && count >= 0;
  if (!NUMBERS.every((name) => isCount(value[name]))) return undefined;
  if (!Array.isArray(latency) || latency.length !== LATENCY_BOUNDS_S.length + 1 || !latency.every(isCount)) {
    return undefined;
  }
  return value as unknown as InstanceFigures;
}
