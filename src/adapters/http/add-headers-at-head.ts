/* add-headers-at-head.ts: header lines of ours beside those of others.
 *
 * Whether a cookie is set is known only when the head of the answer is written: a login may have been acknowledged by
 * then. So `writeHead` is wrapped, through which Node writes each head, be it called or implied by `write` and `end`. Lines
 * are added to those that are there: of the application, of express-session (which adds its own within, as `on-headers`
 * does), and of Fastify, which hands all its headers to `writeHead`. */

/** Part of Node's response that is needed. */
export interface HeadWriter {
  readonly headersSent: boolean;
  /** Reads the header that was set so far. */
  getHeader(name: string): unknown;
  /** Sets a header in place of the one that was set so far. */
  setHeader(name: string, value: string[]): unknown;
}

/** The head of an answer, as it is about to be written. */
export interface AnswerHead {
  readonly statusCode: number;
  /** The Cache-Control header. */
  readonly cacheControl: string | undefined;
}

/** A header line that is added to those of its name. */
export type HeaderLine = readonly [name: 'Set-Cookie' | 'Server-Timing', value: string];

type Pair = readonly [name: string, value: unknown];

/** Has `linesFor` called once, when the head of an answer of Node is about to be written; the header lines that it returns
 *  are added. For adapters of frameworks on Node: HandleRequest's `beforeHead`. */
export function addHeadersAtHead(response: HeadWriter, linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
  const writer = response as HeadWriter & { writeHead(...args: unknown[]): unknown };
  const { writeHead } = writer;
  let isDone = false;
  writer.writeHead = function (this: HeadWriter, ...args: unknown[]): unknown {
    if (isDone || this.headersSent) return Reflect.apply(writeHead, this, args);
    isDone = true;
    const given = pairsOf(headersOf(args));
    const cacheControl = textOf(given, 'cache-control') ?? headerText(this.getHeader('Cache-Control'));
    const lines = linesFor({ statusCode: Number(args[0]), cacheControl });
    return Reflect.apply(writeHead, this, withLines(this, args, given, lines));
  };
}

// The arguments are a status, a reason that may be left out, and headers.
function headersOf(args: readonly unknown[]): unknown {
  return typeof args[1] === 'string' ? args[2] : (args[2] ?? args[1]);
}

// Headers may be an object, a list of names and values in turn, or a list of pairs.
function pairsOf(headers: unknown): Pair[] {
  if (typeof headers !== 'object' || headers === null) return [];
  if (!Array.isArray(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers as Pair[];
  return Array.from({ length: headers.length >> 1 }, (_, i) => [String(headers[2 * i]), headers[2 * i + 1]] as const);
}

function textOf(pairs: readonly Pair[], name: string): string | undefined {
  return headerText(pairs.find(([each]) => each.toLowerCase() === name)?.[1]);
}

function headerText(value: unknown): string | undefined {
  return value === undefined ? undefined : [value].flat().join(', ');
}

// Where `writeHead` is given lines of a name, these take the place of what `setHeader` was given: so ours is put beside them.
function withLines(
  response: HeadWriter,
  args: unknown[],
  given: readonly Pair[],
  lines: readonly HeaderLine[],
): unknown[] {
  const isGiven = ([name]: HeaderLine): boolean => given.some(([each]) => each.toLowerCase() === name.toLowerCase());
  for (const [name, value] of lines.filter((line) => !isGiven(line))) {
    response.setHeader(name, [...([response.getHeader(name) ?? []].flat() as string[]), value]);
  }
  const beside = lines.filter(isGiven);
  if (beside.length === 0) return args;
  const reason = typeof args[1] === 'string' ? [args[1]] : [];
  return [args[0], ...reason, Object.fromEntries(merged([...given, ...beside]))];
}

// An object has each name once; a list may have several of one.
function merged(pairs: readonly Pair[]): Pair[] {
  const byName = new Map<string, Pair>();
  for (const [name, value] of pairs) {
    const before = byName.get(name.toLowerCase());
    byName.set(name.toLowerCase(), before ? [before[0], [before[1], value].flat()] : [name, value]);
  }
  return [...byName.values()];
}
