import { expect, it } from 'vitest';
import { printable, printableFields } from '../../src/cli/printable.ts';

it('printable escapes C0, DEL, C1 and what turns the direction, and nothing else', () => {
  expect(printable('a\u0000\u001b[2J\r\u007f\u0080\u009b\u009f\u202e\u2066')).toBe(
    'a\\u0000\\u001b[2J\\u000d\\u007f\\u0080\\u009b\\u009f\\u202e\\u2066',
  );
  const plain = 'a\tb\nß\u00a0日本 👍 "\\"';
  expect(printable(plain)).toBe(plain);
  const json = JSON.stringify({ a: '\u009b\u202e' });
  expect(JSON.parse(printable(json))).toEqual(JSON.parse(json));
});

it('printableFields escapes strings, lists and errors', () => {
  const { err, ...rest } = printableFields({ a: '\u009b', b: ['\u009b', 1], c: 1, err: new Error('\u009b') });
  expect(rest).toEqual({ a: '\\u009b', b: ['\\u009b', 1], c: 1 });
  expect(err).toMatchObject({ type: 'Error', message: '\\u009b', stack: expect.stringContaining('Error: \\u009b') });
});
