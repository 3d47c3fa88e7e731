const OWN_TOKEN = /^[0-9a-z]{25}\.[A-Za-z0-9_-]{43}(?=$|\.)/;
/** An id and its signature, as @fastify/session sends it. */
const SIGNED = /^([A-Za-z0-9_-]{16,})\.[A-Za-z0-9+/_-]{27,}$/;

/** The token in what was copied from a browser or a request: a token of our own, or the value of a session cookie
 *  (`s:<token>.<signature>`, URL-encoded or not, with its name or without). Undefined where it is none that can be told
 *  from a session id. */
export function tokenIn(text: string): string | undefined {
  const value = decode(
    text
      .trim()
      .replace(/^(?:Bearer\s+|[^=\s;]+=)/i, '')
      .replace(/;.*$/s, ''),
  );
  const own = OWN_TOKEN.exec(value.replace(/^s:/, ''))?.[0];
  if (own !== undefined) return own;
  if (value.startsWith('s:') && value.includes('.')) return value.slice(2, value.lastIndexOf('.'));
  return SIGNED.exec(value)?.[1];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
