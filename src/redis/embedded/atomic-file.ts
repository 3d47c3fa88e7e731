import { randomUUID } from 'node:crypto';
import { renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces the file as a whole: nobody reads half of it. */
export function replaceFile(path: string, content: object): void {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  renameSync(draft, path);
}

/** Removes a socket, and the folder that was made for it outside the data folder. */
export function removeSocket(dataDir: string, path: string): void {
  quietly(() => rmSync(path));
  if (dirname(path) !== dataDir) quietly(() => rmdirSync(dirname(path)));
}

/** For what is removed at the end: what stays is recognised as stale at the next start. */
export function quietly(act: () => void): void {
  try {
    act();
  } catch {}
}

/** True where `act` works, false where it fails with the `expected` code; throws its other errors. */
export function attempt(act: () => void, expected: string): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false;
    throw error;
  }
}
