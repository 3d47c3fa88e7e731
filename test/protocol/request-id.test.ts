import { describe, expect, it } from 'vitest';
import { parseRequestId } from '../../src/protocol/index.ts';

describe('a request id', () => {
  it.each(['r', '-', '0', 'A-z_9', 'x'.repeat(128)])('%j asks for a list', (request) => {
    expect(parseRequestId(request)).toEqual({ kind: 'list' });
  });

  it.each(['_', '_1', '__', '_box.7', `_${'x'.repeat(127)}`])('%j asks for nothing', (request) => {
    expect(parseRequestId(request)).toEqual({ kind: 'none' });
  });

  it.each([
    ['box.7', 'box', '7'],
    ['-.0', '-', '0'],
    ['b_x.0007', 'b_x', '0007'],
    [`${'x'.repeat(128)}.${'9'.repeat(16)}`, 'x'.repeat(128), '9'.repeat(16)],
  ])('%j asks for a message on an inbox', (request, inbox, number) => {
    expect(parseRequestId(request)).toEqual({ kind: 'inbox', inbox, number });
  });

  it.each([
    '',
    '.',
    '.7',
    'box.',
    'box.x',
    'box.-1',
    'box.1.2',
    'box.1 ',
    'box.1\n',
    'a b',
    'a\n',
    'a*',
    'a:b',
    '{a}',
    'ä',
    '\ufffd',
    'x'.repeat(129),
    `${'x'.repeat(129)}.1`,
    `box.${'1'.repeat(17)}`,
    'box.١',
  ])('%j is none, and nothing may be answered', (request) => {
    expect(parseRequestId(request)).toBeUndefined();
  });
});
