const OWN_TOKEN = /^[0-9a-z]{25}\.[A-Za-z0-9_-]{43}(?=$|\.)/;
/** An id and its signature, as @fastify/session sends it. */
const SIGNED = /^([A-Za-z0-9_-]{16,})\.[A-Za-z0-9+/_-]{27,}$/;

/** Finds the token in a text that was copied from a browser or a request: a token of our own, or the value of a session
 *  cookie (`s:<token>.<signature>`, URL-encoded or not, with its name or without). Undefined for any other text; a
 *  token of another library without a signature is not found, because it has the form of a session id. */
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
