import { expect, it } from 'vitest';
import { closestName } from '../../src/protocol/closest-name.ts';

const OPTIONS = ['redis', 'transport', 'deadlineMs', 'keepDeadlineMs', 'sessionglob', 'http', 'off'];

it.each([
  ['deadlineMS', 'deadlineMs'],
  ['deadline_ms', 'deadlineMs'],
  ['deadline', 'deadlineMs'],
  ['sessionGlob', 'sessionglob'],
  ['trasnport', 'transport'],
  ['transprt', 'transport'],
  ['rediss', 'redis'],
  ['htpp', 'http'],
  ['of', 'off'],
])('%s is taken for %s', (name, meant) => {
  expect(closestName(name, OPTIONS)).toBe(meant);
});

it.each(['', 'x', 'url', 'colour', 'namespace', 'x'.repeat(100_000)])(
  'the closest name: %s is close to none',
  (name) => {
    expect(closestName(name, OPTIONS)).toBeUndefined();
  },
);

it('the closest name: of two that are equally close the first is proposed, and of no names none', () => {
  expect(closestName('sett', ['sets', 'seat'])).toBe('sets');
  expect(closestName('redis', [])).toBeUndefined();
});
