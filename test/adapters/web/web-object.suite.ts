import { describe, expect, it, onTestFinished } from 'vitest';
import type { LiveOptions, SessionwiseOptions, SharedParts, WebSessionOptions } from '../../../src/adapters/index.ts';
import { useRedis } from '../../support/use-redis.ts';

/* web-object.suite.ts: options of what `createSessionwise` mounts, in frameworks without sessions of their own. */

type WebObject = SharedParts & {
  session(options?: WebSessionOptions): unknown;
  knowledge(options?: object): unknown;
  live?(options?: LiveOptions): unknown;
};

/** Tests the options of sessions, knowledge and live streams. */
export function testWebObject(name: string, create: (options: SessionwiseOptions) => WebObject): void {
  describe(`what createSessionwise of ${name} mounts`, () => {
    const server = useRedis({ eachTest: 'kept' });
    const make = (): WebObject => {
      const sw = create({ redis: server.url });
      onTestFinished(() => sw.close());
      return sw;
    };

    it.each<[string, object, RegExp]>([
      ['a misspelt name', { cokie: {} }, /knows no option "cokie": did you mean "cookie"/],
      ['an option of the cookie', { maxAge: 7 }, /"maxAge": it belongs to the cookie: cookie: \{ maxAge/],
      ['an option of the store', { idleMs: 7 }, /"idleMs": it belongs to the store: createS.*\{ idleMs/],
      ['an option of all', { redis: '' }, /"redis": give createSessionwise\(\{ redis \}\) itself/],
      ['a store', { store: {} }, /the store is that of this object/],
      ['a wrong type', { rolling: 'yes' }, /rolling .* cannot be used: give true or false/],
      ['a renewal of what has no end', { rolling: true }, /rolling renews a cookie with an end, and this one has none/],
      ['a cookie for scripts', { cookie: { httpOnly: false } }, /this cookie is always HttpOnly/],
      ['a cookie with a signature', { cookie: { signed: true } }, /needs no signature/],
      ['a misspelt name of the cookie', { cookie: { samesite: 'lax' } }, /did you mean "sameSite"/],
      ['a name that no cookie can have', { cookie: { name: 'a b' } }, /cookie\.name "a b" cannot be used/],
      [
        'a host cookie with a domain',
        { cookie: { name: '__Host-sid', domain: 'a.b' } },
        /browsers take a cookie whose/,
      ],
      ['a cookie without secure', { cookie: { sameSite: 'none', secure: false } }, /that is not secure/],
      ['an age that is none', { cookie: { maxAge: 0 } }, /maxAge 0 cannot be used/],
    ])('refuses for sessions %s', (_, options, sentence) => {
      expect(() => make().session(options)).toThrow(RangeError);
      expect(() => make().session(options)).toThrow(sentence);
    });

    it.each<[string, object, RegExp]>([
      ['a client', { client: {} }, /leave client out/],
      ['a misspelt name', { pageviews: 'off' }, /knows no option "pageviews": did you mean "pageview"/],
      ['a wrong type', { user: 'ada' }, /user .* cannot be used: give a function/],
    ])('refuses for knowledge %s', (_, options, sentence) => {
      expect(() => make().knowledge(options)).toThrow(RangeError);
      expect(() => make().knowledge(options)).toThrow(sentence);
    });

    it('may be taken off the object, and needs no options', () => {
      const { session, knowledge, person, close } = make();
      expect(session()).toBeTypeOf('function');
      expect(knowledge()).toBeTypeOf('function');
      expect(person('ada').id).toMatch(/_$/);
      expect(close()).toBeInstanceOf(Promise);
    });
  });
}
