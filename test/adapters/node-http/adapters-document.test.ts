import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

it('docs/adapters.md has the example as the conformance suite runs it', () => {
  const [, example] = /```ts\n(import [\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/adapters.md'), 'utf8'))!;
  const source = readFileSync(join(import.meta.dirname, 'http-sessions.ts'), 'utf8');
  expect(example).toBe(source.replace("'../../../src/adapters/index.ts'", "'sessionwise/adapter'"));
  // A third party has nothing else of ours.
  expect([...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from)).toEqual([
    'node:http',
    '../../../src/adapters/index.ts',
  ]);
});
