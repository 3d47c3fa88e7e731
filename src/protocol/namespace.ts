/** The namespace that needs no prefix on channels: the default of clients in other languages too. */
export const DEFAULT_NAMESPACE = 'sw';

const NAMESPACE = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** Checks a namespace: 1 to 32 of `[a-z0-9_-]`, not beginning with `_` or `-`, and neither `ss` nor `async`.
 *  @throws RangeError that shows the value. */
export function checkNamespace(namespace: string): string {
  if (!NAMESPACE.test(namespace) || namespace === 'ss' || namespace === 'async') {
    throw new RangeError(
      `The namespace ${JSON.stringify(namespace)} cannot be used: give 1 to 32 of a-z, 0-9, _ and -, and neither "ss" nor "async".`,
    );
  }
  return namespace;
}

/** Returns the prefix of `ss:` and `async:` in channels and reply keys. A namespace other than the default is part of
 *  the name, because pub/sub ignores database numbers. */
export function wirePrefix(namespace: string): string {
  return namespace === DEFAULT_NAMESPACE ? '' : `${namespace}:`;
}
