import { createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aead } from '../../src/protocol/aead.ts';

const KEY = randomBytes(32);
const CONTEXT = Buffer.from('a context');
const PLAIN = Buffer.from('what was said');

describe('aead', () => {
  it('opens what it sealed, and nothing that is another', () => {
    const sealed = aead.seal(KEY, CONTEXT, PLAIN);
    expect(aead.open(KEY, CONTEXT, sealed)).toEqual(PLAIN);
    expect(aead.open(randomBytes(32), CONTEXT, sealed)).toBeUndefined();
    expect(aead.open(KEY, Buffer.from('another'), sealed)).toBeUndefined();
    for (let length = 0; length < sealed.length; length += 1) {
      expect(aead.open(KEY, CONTEXT, sealed.subarray(0, length))).toBeUndefined();
    }
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(aead.open(KEY, CONTEXT, changed)).toBeUndefined();
    }
    expect(aead.open(KEY, CONTEXT, aead.seal(KEY, CONTEXT, Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  });

  it('each context has a key of its own, so the nonces of one key are few', () => {
    for (const context of [CONTEXT, Buffer.from('another'), Buffer.alloc(0)]) {
      const sealed = aead.seal(KEY, context, PLAIN);
      const openBy = (key: Buffer): Buffer => {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
        decipher.setAAD(context);
        decipher.setAuthTag(sealed.subarray(-16));
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
      };
      expect(() => openBy(KEY)).toThrow();
      expect(openBy(createHmac('sha256', KEY).update(context).digest())).toEqual(PLAIN);
    }
  });
});
