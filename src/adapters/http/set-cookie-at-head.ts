/* set-cookie-at-head.ts: a cookie of ours beside those of others.
 *
 * Whether a cookie is set is known only when the head of the answer is written: a login may have been acknowledged by
 * then. So `writeHead` is wrapped, through which Node writes each head, be it called or implied by `write` and `end`. The
 * line is added to the cookies that are there: of the application, of express-session (which adds its own within, as
 * `on-headers` does), and of Fastify, which hands all its headers to `writeHead`. */

/** Part of Node's response that is needed. */
export interface HeadWriter {
  readonly headersSent: boolean;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string[]): unknown;
}

type Pair = readonly [name: string, value: unknown];

/** Has `cookieFor` called once, when the head of an answer of Node is about to be written, with the answer's Cache-Control;
 *  the Set-Cookie line that it returns is added. For adapters of frameworks on Node: HandleRequest's `beforeHead`. */
export function setCookieAtHead(
  response: HeadWriter,
  cookieFor: (cacheControl: string | undefined) => string | undefined,
): void {
  const writer = response as HeadWriter & { writeHead(...args: unknown[]): unknown };
  const { writeHead } = writer;
  let isDone = false;
  writer.writeHead = function (this: HeadWriter, ...args: unknown[]): unknown {
    if (isDone || this.headersSent) return Reflect.apply(writeHead, this, args);
    isDone = true;
    const given = pairsOf(headersOf(args));
    const line = cookieFor(textOf(given, 'cache-control') ?? headerText(this.getHeader('Cache-Control')));
    return Reflect.apply(writeHead, this, line === undefined ? args : withCookie(this, args, given, line));
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

// Where `writeHead` is given cookies, these take the place of what `setHeader` was given: so ours is put beside them.
function withCookie(response: HeadWriter, args: unknown[], given: readonly Pair[], line: string): unknown[] {
  const isCookie = ([name]: Pair): boolean => name.toLowerCase() === 'set-cookie';
  const cookies = given.filter(isCookie).flatMap(([, value]) => value as string | string[]);
  if (cookies.length === 0) {
    response.setHeader('Set-Cookie', [...([response.getHeader('Set-Cookie') ?? []].flat() as string[]), line]);
    return args;
  }
  const headers = { ...Object.fromEntries(merged(given.filter((pair) => !isCookie(pair)))) };
  const reason = typeof args[1] === 'string' ? [args[1]] : [];
  return [args[0], ...reason, { ...headers, 'Set-Cookie': [...cookies, line] }];
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
