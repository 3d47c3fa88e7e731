/* postgres-text.ts: escapes the characters that PostgreSQL's text and jsonb refuse, without loss.
 *
 * They take any character but U+0000 and half a surrogate pair; JSON.stringify writes both as `\uXXXX` (well-formed
 * JSON.stringify, ECMAScript 2019). A row that holds one is escaped as a whole, and says so: in its strings `\\` stands
 * for a backslash and `\u0000` or `\ud800` for a refused character. All other rows are plain. */

const ESCAPES = /\\(?:u[0-9a-f]{4}|.)/g;
const REFUSED = /^\\u(?:0000|d[89a-f])/;

/** Whether PostgreSQL would refuse a text that JSON.stringify made. */
export function isRefused(json: string): boolean {
  return (json.match(ESCAPES) ?? []).some((written) => REFUSED.test(written));
}

/** JSON with the strings in it escaped. */
export function escapeJson(json: string): string {
  return json.replace(ESCAPES, (written) =>
    written === '\\\\' ? '\\\\\\\\' : REFUSED.test(written) ? `\\${written}` : written,
  );
}

/** Restores an escaped string. */
export function unescapeText(text: string): string {
  return text.replace(/\\(?:\\|u([0-9a-f]{4}))/g, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
