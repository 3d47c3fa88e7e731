import { describe, expect, it } from 'vitest';
import {
  checkNamespace,
  isCommandName,
  isSession,
  parseTopic,
  replyKey,
  topicChannel,
  topicPattern,
  wirePrefix,
} from '../../src/protocol/index.ts';

describe('a topic', () => {
  it('has four parts, and the payload is the message', () => {
    expect(parseTopic('sw', 'ss:pageview:abc:r1')).toEqual({
      command: 'pageview',
      session: 'abc',
      request: 'r1',
      payload: undefined,
    });
  });

  it.each([
    ['ss:pageview:abc:r1:/a', '/a'],
    ['ss:pageview:abc:r1:http://h:80/a:b', 'http://h:80/a:b'],
    ['ss:notifications:abc:r1:[{"id":"a:b"}]', '[{"id":"a:b"}]'],
    ['ss:combo:abc:r1:', ''],
    ['ss:combo:abc:r1::', ':'],
    ['ss:combo:abc:r1: \n*:', ' \n*:'],
  ])('%j carries its payload verbatim behind the fourth colon', (channel, payload) => {
    expect(parseTopic('sw', channel)).toMatchObject({ session: 'abc', request: 'r1', payload });
  });

  it.each([
    '',
    'ss',
    'ss:',
    'ss:pageview',
    'ss:pageview:abc',
    'SS:pageview:abc:r1',
    'async:pageview:abc:r1',
    ' ss:pageview:abc:r1',
    'ss::abc:r1',
    'ss:pageview::r1',
    'ss:Pageview:abc:r1',
    'ss:-pageview:abc:r1',
    'ss:page_view:abc:r1',
    `ss:${'a'.repeat(65)}:abc:r1`,
    'ss:pageview:a b:r1',
    'ss:pageview:a*:r1',
    'ss:pageview:a\n:r1',
    'ss:pageview:abc\n:r1',
    'ss:pageview:{a}:r1',
    'ss:pageview:a\u0000:r1',
    'ss:pageview:ä:r1',
    'ss:pageview:\ufffd:r1',
    `ss:pageview:${'a'.repeat(129)}:r1`,
    'shop:ss:pageview:abc:r1',
  ])('%j is none', (channel) => {
    expect(parseTopic('sw', channel)).toBeUndefined();
  });

  it('leaves the form of the request to parseRequestId', () => {
    expect(parseTopic('sw', 'ss:pageview:abc:*')).toMatchObject({ request: '*' });
    expect(parseTopic('sw', 'ss:pageview:abc:')).toMatchObject({ request: '' });
    expect(parseTopic('sw', 'ss:pageview:abc::x')).toMatchObject({ request: '', payload: 'x' });
  });

  it('takes sessions of 1 to 128 characters', () => {
    for (const session of ['a', 'A-_9', 'x'.repeat(128)]) {
      expect(isSession(session)).toBe(true);
      expect(parseTopic('sw', `ss:pageview:${session}:r`)).toMatchObject({ session });
    }
    expect(isSession('')).toBe(false);
    expect(isSession('x'.repeat(129))).toBe(false);
    expect(isSession('abc\n')).toBe(false);
  });

  it('comes back as it was made, in any namespace', () => {
    for (const namespace of ['sw', 'shop', 'a-b_c']) {
      const channel = topicChannel(namespace, 'pageview', 'abc', 'box.7');
      expect(parseTopic(namespace, channel)).toEqual({
        command: 'pageview',
        session: 'abc',
        request: 'box.7',
        payload: undefined,
      });
    }
  });
});

describe('the namespace of a topic', () => {
  it('prefixes channels, patterns and reply lists; the default one does not', () => {
    const topic = { command: 'pageview', session: 'abc', request: 'r1' };
    expect(wirePrefix('sw')).toBe('');
    expect(topicChannel('sw', 'pageview', 'abc', 'r1')).toBe('ss:pageview:abc:r1');
    expect(topicPattern('sw', 'pageview', '[a-m]*')).toBe('ss:pageview:[a-m]*:?*');
    expect(replyKey('sw', topic)).toBe('async:pageview:abc:r1');
    expect(topicChannel('shop', 'pageview', 'abc', 'r1')).toBe('shop:ss:pageview:abc:r1');
    expect(topicPattern('shop', 'pageview', '?*')).toBe('shop:ss:pageview:?*:?*');
    expect(replyKey('shop', topic)).toBe('shop:async:pageview:abc:r1');
  });

  it("reads nothing of another's", () => {
    expect(parseTopic('shop', 'ss:pageview:abc:r1')).toBeUndefined();
    expect(parseTopic('shop', 'shop2:ss:pageview:abc:r1')).toBeUndefined();
    expect(parseTopic('sw', 'sw:ss:pageview:abc:r1')).toBeUndefined();
  });

  it.each(['sw', 'a', 'shop-2', '0', 'x'.repeat(32)])('may be %j', (namespace) => {
    expect(checkNamespace(namespace)).toBe(namespace);
  });

  it.each(['', 'ss', 'async', 'A', '_a', '-a', 'a:b', 'a*', 'a b', '{a}', 'a\n', 'x'.repeat(33)])(
    'may not be %j, and the message shows it',
    (namespace) => {
      expect(() => checkNamespace(namespace)).toThrow(RangeError);
      expect(() => checkNamespace(namespace)).toThrow(JSON.stringify(namespace));
    },
  );
});

describe('the command name of a topic', () => {
  it('is of lower case letters, digits and hyphens', () => {
    expect(['pageview', 'mark-item-seen', '2x'].every(isCommandName)).toBe(true);
    expect(['', '-a', 'a_b', 'A', 'a b', 'a*', 'a\n', 'x'.repeat(65)].some(isCommandName)).toBe(false);
  });
});
