import { describe, expect, it } from 'vitest';
import { sessionOfToken } from '../../../src/adapters/http/session-of-token.ts';
import { sessionOf } from '../../../src/protocol/index.ts';

describe('the session of a bearer token that a verifier knows', () => {
  const sessionFor = (answer: object | null | undefined): Promise<string | undefined> => {
    const store = { load: () => Promise.resolve(answer) };
    return Promise.resolve(sessionOfToken('key-1', { own: undefined, isChecked: false, store }));
  };

  it('is the one that the verifier names', async () => {
    expect(await sessionFor({ session: 'abcdefghijklmnopqrstuvwxy' })).toBe('abcdefghijklmnopqrstuvwxy');
  });

  it('is that of the token where it names none', async () => {
    expect(await sessionFor({})).toBe(sessionOf('key-1'));
  });

  it.each([undefined, null])('is none where it answers %s', async (answer) => {
    expect(await sessionFor(answer)).toBeUndefined();
  });
});
