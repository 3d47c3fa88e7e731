/** A right of a Redis user: some commands, on some keys and channels. It becomes a selector of Redis 7. */
export interface Grant {
  /** In Redis's spelling: `get`, `client|id`. */
  readonly commands: readonly string[];
  /** Patterns of keys for reading and writing; `readKeys` only for reading, `writeKeys` only for writing. */
  readonly keys?: readonly string[];
  readonly readKeys?: readonly string[];
  readonly writeKeys?: readonly string[];
  /** Patterns of channels. PSUBSCRIBE is allowed only with exactly this pattern. */
  readonly channels?: readonly string[];
}

/** Redis versions whose rules differ: 7.0 has selectors and separates reading from writing, 6.2 has neither. */
export type AclVersion = '7.0' | '6.2';

const SINCE_7_0: readonly string[] = ['ssubscribe', 'spublish'];

/** Writes grants as rules of ACL SETUSER. For 6.2 they merge into one: every command on all of the keys. */
export function rulesOf(grants: readonly Grant[], version: AclVersion): string[] {
  if (version === '6.2') {
    const keys = grants.flatMap(({ keys = [], readKeys = [], writeKeys = [] }) => [...keys, ...readKeys, ...writeKeys]);
    const commands = grants.flatMap((grant) => grant.commands).filter((command) => !SINCE_7_0.includes(command));
    return tokensOf({ commands, keys, channels: grants.flatMap(({ channels = [] }) => channels) });
  }
  const [root, ...selectors] = grants;
  return [...(root ? tokensOf(root) : []), ...selectors.map((grant) => `(${tokensOf(grant).join(' ')})`)];
}

function tokensOf({ commands, keys = [], readKeys = [], writeKeys = [], channels = [] }: Grant): string[] {
  const tokens = [
    ...keys.map((pattern) => `~${pattern}`),
    ...readKeys.map((pattern) => `%R~${pattern}`),
    ...writeKeys.map((pattern) => `%W~${pattern}`),
    ...channels.map((pattern) => `&${pattern}`),
    ...commands.map((command) => `+${command}`),
  ];
  return [...new Set(tokens)];
}
