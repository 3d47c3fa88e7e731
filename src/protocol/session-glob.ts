/* session-glob.ts: which sessions an instance serves.
 *
 * The glob stands inside a PSUBSCRIBE pattern, and Redis's `*` also matches colons: `ss:pageview:[a-m]*:?*` also
 * matches malformed topics. So the service tests the session again, with `matches`. A glob is one leading character
 * class or a literal prefix, then `*`: for these forms `overlaps` can be computed exactly. */

const SESSION_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** Serves every session. */
export const EVERY_SESSION = '?*';

/** A parsed session glob. */
export interface SessionGlob {
  /** As given, and as it stands in the subscription. */
  readonly text: string;
  /** Whether a session belongs to this glob. */
  matches(session: string): boolean;
  /** Whether some session belongs to both. */
  overlaps(other: SessionGlob): boolean;
  /** The literal beginning that all its sessions share; empty for a class. */
  readonly prefix: string;
  /** The characters that may stand first. */
  readonly first: ReadonlySet<string>;
}

/** Reads a session glob: `?*` (default, all), a literal prefix and `*` (`ab*`), or one character class and `*`
 *  (`[a-m]*`, `[^0-9]*`).
 *  @throws RangeError that shows the value and the forms. */
export function parseSessionGlob(text: string): SessionGlob {
  const literal = /^([A-Za-z0-9_-]+)\*$/.exec(text);
  if (literal) return makeGlob(text, literal[1]!, new Set([literal[1]![0]!]));
  if (text === '?*' || text === '*') return makeGlob(EVERY_SESSION, '', new Set(SESSION_CHARACTERS));
  const characterClass = /^\[(\^?)([A-Za-z0-9_-]+)\]\*$/.exec(text);
  const first = characterClass ? classMembers(characterClass[2]!, characterClass[1] === '^') : new Set<string>();
  if (first.size === 0) {
    throw new RangeError(
      `The session glob ${JSON.stringify(text)} cannot be used: give "?*", a prefix such as "ab*" or one character class such as "[a-m]*".`,
    );
  }
  return makeGlob(text, '', first);
}

function makeGlob(text: string, prefix: string, first: ReadonlySet<string>): SessionGlob {
  return {
    text,
    prefix,
    first,
    matches: (session) => (prefix === '' ? first.has(session[0] ?? '') : session.startsWith(prefix)),
    overlaps: (other) => {
      if (prefix !== '' && other.prefix !== '') {
        return prefix.startsWith(other.prefix) || other.prefix.startsWith(prefix);
      }
      for (const character of first) if (other.first.has(character)) return true;
      return false;
    },
  };
}

// The ranges of Redis's own matcher: `a-m`, either way round. A `-` that ends no range is itself, but in `[a-]` Redis
// takes `a-]` for a range and never finds the bracket: no members, and so refused.
function classMembers(body: string, negated: boolean): Set<string> {
  const members = new Set<string>();
  for (let i = 0; i < body.length; i += 1) {
    const end = body[i + 2];
    if (body[i + 1] !== '-') {
      members.add(body[i]!);
      continue;
    }
    if (end === undefined) return new Set();
    const [low, high] = [body.charCodeAt(i), end.charCodeAt(0)].sort((a, b) => a - b) as [number, number];
    for (let code = low; code <= high; code += 1) members.add(String.fromCharCode(code));
    i += 2;
  }
  return new Set([...SESSION_CHARACTERS].filter((character) => members.has(character) !== negated));
}
