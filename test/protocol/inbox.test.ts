import { describe, expect, it } from 'vitest';
import { inboxChannel, inboxMessage, parseInboxMessage } from '../../src/protocol/index.ts';

describe('an inbox', () => {
  it('is a channel under async:, prefixed by its namespace', () => {
    expect(inboxChannel('sw', 'box')).toBe('async:box');
    expect(inboxChannel('shop', 'box')).toBe('shop:async:box');
  });

  it('gets the number, a space and the JSON as it is', () => {
    expect(inboxMessage('7', '{"a":" b "}')).toBe('7 {"a":" b "}');
    expect(parseInboxMessage('7 {"a":" b "}')).toEqual([{ number: 7, json: '{"a":" b "}' }]);
    expect(parseInboxMessage('0 ')).toEqual([{ number: 0, json: '' }]);
    expect(parseInboxMessage('9007199254740991 1')).toEqual([{ number: Number.MAX_SAFE_INTEGER, json: '1' }]);
  });

  it('gets several replies in one message, a line each', () => {
    const message = [inboxMessage('7', '[]'), inboxMessage('8', '{"a":"\\n"}'), 'x'].join('\n');
    expect(parseInboxMessage(message)).toEqual([
      { number: 7, json: '[]' },
      { number: 8, json: '{"a":"\\n"}' },
      undefined,
    ]);
  });

  it.each(['', ' ', '7', ' 7 1', 'x 1', '7.5 1', '9007199254740992 1', '99999999999999999 1', 'NaN 1', 'Infinity 1'])(
    'takes no notice of %j',
    (message) => {
      expect(parseInboxMessage(message)).toEqual([undefined]);
    },
  );
});
