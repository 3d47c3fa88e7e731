import { describe, expect, it } from 'vitest';
import { PayloadDecryptionError } from '../../src/transport/streams/payload-decryption-error.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';

const SECRET = 'a secret of the tests, long enough';
const CONTEXT = { command: 'pageview', session: 'abc', request: '_1' };

describe('a sealed payload', () => {
  const seal = new PayloadSeal(SECRET, 'sw');

  it('opens to what was sealed', () => {
    for (const payload of ['', '/a', 'ä👋\0', 'x'.repeat(65_536)]) {
      const sealed = seal.close(CONTEXT, payload);
      expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(seal.open(CONTEXT, sealed)).toBe(payload);
      expect(new PayloadSeal(SECRET, 'sw').open(CONTEXT, sealed)).toBe(payload);
    }
  });

  it('is another each time, and tells nothing but its length', () => {
    const sealed = new Set(Array.from({ length: 100 }, () => seal.close(CONTEXT, '/the-same-page')));
    expect(sealed.size).toBe(100);
    for (const text of sealed) {
      expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('same');
      expect(Buffer.from(text, 'base64url')).toHaveLength(12 + '/the-same-page'.length + 16);
    }
  });

  it('opens for no other secret, namespace or request', () => {
    const sealed = seal.close(CONTEXT, '/a');
    const refused = (by: PayloadSeal, context = CONTEXT): void =>
      expect(() => by.open(context, sealed)).toThrow(PayloadDecryptionError);
    refused(new PayloadSeal(`${SECRET}!`, 'sw'));
    refused(new PayloadSeal(SECRET, 'other'));
    refused(seal, { ...CONTEXT, command: 'combo' });
    refused(seal, { ...CONTEXT, session: 'abd' });
    refused(seal, { ...CONTEXT, request: '_2' });
    // Where the parts end belongs to it too.
    refused(seal, { command: 'pageview:abc', session: '_1', request: '' });
  });

  it('opens no more where any of its bytes was changed, or is missing', () => {
    const sealed = seal.close(CONTEXT, '/a');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1;
      expect(() => seal.open(CONTEXT, changed.toString('base64url'))).toThrow(PayloadDecryptionError);
      expect(() => seal.open(CONTEXT, bytes.subarray(0, i).toString('base64url'))).toThrow(PayloadDecryptionError);
    }
    for (const text of ['', '!', 'AAAA', 'not base64 at all', 'x'.repeat(100)]) {
      expect(() => seal.open(CONTEXT, text)).toThrow(PayloadDecryptionError);
    }
  });
});
