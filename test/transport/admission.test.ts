import { describe, expect, it } from 'vitest';
import { Admission, partsAtMost } from '../../src/transport/service/admission.ts';

describe('the admission of a request', () => {
  it('counts the parts of a together, and never fewer than there are', () => {
    const part = (command: string): [string, unknown] => [command, command === 'surface' ? ['/a', '/b'] : ''];
    for (const count of [1, 2, 5, 16]) {
      const parts = Array.from({ length: count }, (_, i) => part(i % 2 === 0 ? 'surface' : 'combo'));
      expect(partsAtMost(JSON.stringify(parts))).toBe(count);
    }
    expect(partsAtMost('')).toBe(1);
    expect(partsAtMost(JSON.stringify(Array(1_000).fill([])))).toBe(16);
  });

  it('takes the units of all parts, and gives them back', async () => {
    const admission = new Admission();
    const held = Array.from({ length: 64 }, () => admission.enter('together', 0, 16));
    expect(held.filter((release) => release instanceof Promise)).toEqual([]);
    const waiting = admission.enter('together', 0, 16);
    expect(waiting).toBeInstanceOf(Promise);
    (held[0] as () => void)();
    expect(await waiting).toBeTypeOf('function');
  });
});
