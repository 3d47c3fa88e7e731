import { describe, expect, it } from 'vitest';
import { sessionOfToken, type TokenSession } from '../../../src/adapters/http/session-of-token.ts';
import { sessionOf } from '../../../src/protocol/index.ts';

describe('the session of a bearer token without a verifier', () => {
  const sessionFor = (token: string) => sessionOfToken(token, { own: undefined, isChecked: false, store: undefined });

  it('is that of the token', () => {
    expect(sessionFor('key-1')).toEqual({ session: sessionOf('key-1') });
  });

  it.each(['undefined', 'null', 'NaN', 'true', 'false', '[object Object]', '[object Promise]'])(
    'is none where a mistake has made it, else all such clients were one: %s',
    (mistake) => expect(sessionFor(mistake)).toBeUndefined(),
  );
});

describe('the session of a bearer token that a verifier knows', () => {
  const sessionFor = (answer: object | null | undefined): Promise<TokenSession | undefined> => {
    const store = { load: () => Promise.resolve(answer) };
    return Promise.resolve(sessionOfToken('key-1', { own: undefined, isChecked: false, store }));
  };

  it('is the one that the verifier names', async () => {
    expect(await sessionFor({ session: 'abcdefghijklmnopqrstuvwxy' })).toEqual({
      session: 'abcdefghijklmnopqrstuvwxy',
    });
  });

  it('has the user that the verifier names', async () => {
    const session = 'abcdefghijklmnopqrstuvwxy';
    expect(await sessionFor({ session, userId: 'ada' })).toEqual({ session, userId: 'ada' });
  });

  it('is that of the token where it names none', async () => {
    expect(await sessionFor({})).toEqual({ session: sessionOf('key-1') });
  });

  it.each([undefined, null])('is none where it answers %s', async (answer) => {
    expect(await sessionFor(answer)).toBeUndefined();
  });
});
