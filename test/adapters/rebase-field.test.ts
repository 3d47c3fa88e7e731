import { expect, it } from 'vitest';
import { rebaseField } from '../../src/adapters/rebase-field.ts';

it.each<[string, unknown, unknown, unknown, unknown]>([
  ['a number that was added to', 5, 8, 6, 9],
  ['a number that began meanwhile', undefined, 8, 1, 9],
  ['a list that was added to', ['a'], ['a', 'b'], ['a', 'x', 'y'], ['a', 'x', 'y', 'b']],
  ['a list that began meanwhile', undefined, ['b'], ['x', 'y'], ['x', 'y', 'b']],
  ['a list that was changed inside', [{ n: 1 }], [{ n: 2 }], [{ n: 1 }, 'x', 'y'], [{ n: 2 }, 'x', 'y']],
  ['a list that was changed inside and added to', ['a'], ['A', 'b'], ['a', 'x', 'y'], ['A', 'b', 'x', 'y']],
  ['a list that was taken from', ['a', 'b'], ['b'], ['a', 'b', 'x', 'y'], ['b', 'x', 'y']],
  ['a list that others added to', ['a'], ['A'], ['a', 'o', 'x', 'y'], ['A', 'o', 'x', 'y']],
  ['a list that others have emptied', ['a', 'b'], ['A', 'b'], ['x', 'y'], ['A', 'b', 'x', 'y']],
  ['a list that has become something else', ['a'], 'text', ['a', 'x', 'y'], 'text'],
  ['a list that was removed', ['a'], undefined, ['a', 'x', 'y'], undefined],
])('%s', (_, before, now, result, expected) => {
  expect(rebaseField(before, now, result, 2)).toEqual(expected);
});
