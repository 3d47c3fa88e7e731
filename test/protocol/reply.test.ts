import { describe, expect, it } from 'vitest';
import {
  decodeReply,
  encodeErrorReply,
  encodeReply,
  isErrorCode,
  MalformedReplyError,
  ProtocolError,
  REPLY_TTL_MS,
} from '../../src/protocol/index.ts';

describe('a reply', () => {
  it.each([
    [[], '[]'],
    [['/a'], '["/a"]'],
    [{ totalPages: 1 }, '{"totalPages":1}'],
    ['text', '"text"'],
    [0, '0'],
    [null, 'null'],
  ])('%j is encoded once', (value, json) => {
    expect(encodeReply(value)).toBe(json);
    expect(decodeReply(json)).toEqual(value);
  });

  it('waits half a second in a list', () => {
    expect(REPLY_TTL_MS).toBe(500);
  });

  it('that is no JSON is malformed', () => {
    for (const json of ['', '{', 'undefined', 'nil', '{"a":}']) {
      expect(() => decodeReply(json)).toThrow(MalformedReplyError);
      expect(() => decodeReply(json)).toThrow(expect.objectContaining({ code: 'MALFORMED_REPLY' }));
    }
  });
});

describe('an error reply', () => {
  it.each(['bad-payload', 'too-large', 'wrong-key', 'unavailable', 'internal'] as const)('carries %s', (code) => {
    const json = encodeErrorReply(new ProtocolError(code, 'Because.'));
    expect(json).toBe(`{"error":{"code":"${code}","message":"Because."}}`);
    expect(() => decodeReply(json)).toThrow(
      expect.objectContaining({ name: 'ProtocolError', replyCode: code, message: 'Because.' }),
    );
    expect(isErrorCode(code)).toBe(true);
  });

  it.each([new Error('secret /path'), new TypeError('x'), 'text', undefined, null, { code: 'bad-payload' }])(
    'is internal for anything else, whose text stays in the service: %s',
    (error) => {
      expect(JSON.parse(encodeErrorReply(error))).toEqual({
        error: { code: 'internal', message: 'The service failed to serve this command.' },
      });
    },
  );

  it('without a message still is one', () => {
    expect(() => decodeReply('{"error":{"code":"internal"}}')).toThrow(
      expect.objectContaining({ replyCode: 'internal' }),
    );
    expect(() => decodeReply('{"error":{"code":"too-large","message":7}}')).toThrow(
      expect.objectContaining({ replyCode: 'too-large', message: '' }),
    );
  });

  it.each([
    '{"error":null}',
    '{"error":"x"}',
    '{"error":{}}',
    '{"error":{"code":"other"}}',
    '[{"error":{}}]',
    '"error"',
  ])('%s is none but a value', (json) => {
    expect(decodeReply(json)).toEqual(JSON.parse(json));
  });

  it('has no other codes', () => {
    expect([undefined, null, 7, '', 'Internal', 'deadline', 'constructor'].some(isErrorCode)).toBe(false);
  });
});
