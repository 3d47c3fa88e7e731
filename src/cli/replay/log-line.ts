import { isPageItem, normalizeItem } from '../../protocol/index.ts';

/* log-line.ts: one line of an Apache or nginx access log, common or combined format.
 *
 *   host ident user [dd/Mon/yyyy:hh:mm:ss +hhmm] "METHOD target HTTP/v" status bytes "referer" "user agent" ...
 *
 * A line is a text in latin1, one character a byte, so that no byte of a request is lost. Servers escape some
 * characters: Apache writes \" \\ \n and \xhh, nginx \xhh for all of them; both give the same path here. Lines without
 * a request for a path (TLS on the wrong port, `-`, `OPTIONS *`, CONNECT, HTTP/0.9, a space inside the target) are
 * skipped. */

/** One request of a log. */
export interface LogRequest {
  /** The client's address (or name) as logged. */
  readonly ip: string;
  /** The User-Agent as logged; empty in the common format. */
  readonly userAgent: string;
  /** The request's path, as the protocol names items. */
  readonly path: string;
  /** Milliseconds of the epoch. */
  readonly at: number;
  readonly method: string;
  /** Status of the answer; 0 where the server logged none. */
  readonly status: number;
}

const QUOTED = String.raw`"([^"\\]*(?:\\.[^"\\]*)*)"`;
// A user's name can hold spaces; it ends at the time.
const LINE = new RegExp(
  String.raw`^(\S+) \S+ .+? \[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)([0-5]\d)\] ${QUOTED}` +
    String.raw` (\d{3}|-) (?:\d+|-)(?: ${QUOTED} ${QUOTED}(?: .*)?)?\s*$`,
);
// Method token (RFC 9110), a target of printable characters and raw high bytes, a version.
const REQUEST = /^([\w!#$%&'*+.^`|~-]+) ([!-~\u0080-\u00ff]+) HTTP\/\d(?:\.\d)?$/;
const ESCAPE = /\\(?:x([0-9A-Fa-f]{2})|(.))|([\u0080-\u00ff])/g;
const CONTROLS: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Reads a line (bytes as latin1, without its line feed); undefined where it is no request for a path. Never throws. */
export function parseLogLine(line: string): LogRequest | undefined {
  const parts = LINE.exec(line);
  if (!parts) return undefined;
  const at = timeOf(parts);
  const [, method = '', target] = REQUEST.exec(parts[11]!) ?? [];
  const path = target === undefined || at === undefined ? undefined : pathOf(target);
  if (path === undefined || at === undefined) return undefined;
  const userAgent = Buffer.from(parts[14] ?? '', 'latin1').toString();
  return { ip: parts[1]!, userAgent, path, at, method, status: Number(parts[12]) || 0 };
}

function timeOf(parts: RegExpExecArray): number | undefined {
  const [day, year, hour, minute, second] = [parts[2], parts[4], parts[5], parts[6], parts[7]].map(Number) as Five;
  const month = MONTHS.indexOf(parts[3]!);
  const midnight = new Date(Date.UTC(year, month, day));
  // 60 is a leap second. A day that the month does not have rolls over to another day, and is refused.
  if (month < 0 || midnight.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return undefined;
  const offsetMinutes = (Number(parts[9]) * 60 + Number(parts[10])) * (parts[8] === '-' ? -1 : 1);
  const at = midnight.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000;
  return at < 0 ? undefined : at;
}

type Five = [number, number, number, number, number];

function pathOf(target: string): string | undefined {
  const item = target.replace(ESCAPE, (_, hex?: string, escaped?: string, raw?: string) => {
    if (hex !== undefined) return characterOf(Number.parseInt(hex, 16));
    if (raw !== undefined) return characterOf(raw.charCodeAt(0));
    const control = CONTROLS[escaped!];
    return control === undefined ? escaped! : characterOf(control);
  });
  if (!isPageItem(item)) return undefined;
  try {
    return normalizeItem(item);
  } catch {
    return undefined; // an invalid URL, or a path longer than an item may be
  }
}

// Percent-encodes byte by byte, so that invalid UTF-8 keeps its bytes.
function characterOf(byte: number): string {
  if (byte > 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
