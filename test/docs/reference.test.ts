import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ROOT } from './documents.ts';

/* docs/reference/ says what the code says. The pages are written from dist/, which `npm test` builds first. */

it('the pages of docs/reference/ are what `npm run reference` writes', async () => {
  const run = promisify(execFile)(process.execPath, ['scripts/write-reference.js', '--check'], { cwd: ROOT });
  expect(await run.catch((error: { stderr: string }) => error)).toEqual({ stdout: '', stderr: '' });
});
