import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys, PARTITION_TAGS, partitionOf } from '../../../src/redis/index.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';

describe('user reference', () => {
  it('28 characters: the tag of its partition and 25 of [0-9a-z]; always the same', () => {
    for (const user of ['ada', 'Zoë 東京 🚲', 'a@b.example', 'u'.repeat(1024), '__proto__', '\0']) {
      const reference = userReference(user);
      expect(reference).toMatch(/^[0-9a-z]{28}$/);
      expect(reference).toBe(userReference(user));
      expect(PARTITION_TAGS[partitionOf(reference.slice(3))]).toBe(reference.slice(0, 3));
      expect(new Keys('sw').userSessions(reference)).toBe(`sw:{${reference.slice(0, 3)}}:@user:${reference.slice(3)}`);
    }
  });

  it('1,000 users: as many references, and no partition without one in 64', () => {
    const references = Array.from({ length: 1000 }, (_, i) => userReference(`user${i}`));
    expect(new Set(references).size).toBe(1000);
    expect(new Set(references.map((reference) => reference.slice(0, 3))).size).toBe(PARTITION_TAGS.length);
  });

  it('it is not the session of a token of that text', () => {
    for (const text of ['ada', createToken()]) expect(userReference(text).slice(3)).not.toBe(sessionOf(text));
  });

  it('what is no user id is refused', () => {
    for (const user of [
      '',
      ' ',
      'undefined',
      '[object Object]',
      '[object Promise]',
      'half \ud83d',
      '\udeb2 half',
      'u'.repeat(1025),
      undefined,
      null,
      7,
      {},
    ] as string[]) {
      expect(() => userReference(user)).toThrow(RangeError);
    }
  });
});
