import { randomUUID } from 'node:crypto';
import { renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces a file atomically: readers see the old contents or the new. */
export function replaceFile(path: string, content: object): void {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  renameSync(draft, path);
}

/** Removes a socket, and its folder where that was created for it outside the data folder. */
export function removeSocket(dataDir: string, path: string): void {
  quietly(() => rmSync(path));
  if (dirname(path) !== dataDir) quietly(() => rmdirSync(dirname(path)));
}

/** Ignores errors, for removals at the end: files that remain are recognised as stale at the next start. */
export function quietly(act: () => void): void {
  try {
    act();
  } catch {}
}

/** Returns true where `act` works and false where it fails with the code `expected`.
 *  @throws its other errors. */
export function attempt(act: () => void, expected: string): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false;
    throw error;
  }
}
