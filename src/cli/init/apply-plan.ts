import { appendFileSync, chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';
import type { PlannedFile } from './plan-files.ts';

/** Writes planned files. A new one is created exclusively, so a file that another program makes meanwhile is not overwritten.
 *  @throws UsageError where a file cannot be written. */
export function applyPlan(folder: string, plan: readonly PlannedFile[]): void {
  for (const { file, act, text, mode = 0o644 } of plan) {
    const path = join(folder, file);
    try {
      if (act === 'write') {
        writeFileSync(path, text, { flag: 'wx', mode });
        // Whatever the umask of this shell is.
        if (mode === 0o600) chmodSync(path, mode);
      } else if (act === 'replace') writeFileSync(path, text);
      else if (act === 'add') appendFileSync(path, text);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new UsageError(`${path} cannot be written (${code}).`, { cause: error });
    }
  }
}

/** Whether others than its owner can read a file. */
export function isReadableByOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
}
