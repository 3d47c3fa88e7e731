import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessMark, processBirth } from '../redis/embedded/index.ts';
import { RulesFileError } from './rules-file-error.ts';

/* file-lock.ts: `<file>.lock` while a command changes a file, which takes milliseconds. A lock names its process: one that has
 * ended left it behind. Process ids of another machine mean nothing here, so its locks are taken over when they are old. */

const WAIT_MS = 10_000;
const POLL_MS = 10;
const OLD_MS = 60_000;

interface Lock {
  readonly host: string;
  readonly process: ProcessMark;
}

/** Does `work` while no other command holds the lock of a file.
 *  @throws RulesFileError where it is not free within 10 seconds, or cannot be made. */
export async function withFileLock<Result>(file: string, work: () => Result | Promise<Result>): Promise<Result> {
  const path = `${file}.lock`;
  await take(path, file);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

async function take(path: string, file: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  const mark = { pid: process.pid, birth: processBirth(process.pid) ?? '' };
  const deadline = performance.now() + WAIT_MS;
  try {
    writeFileSync(draft, JSON.stringify({ host: hostname(), process: mark } satisfies Lock));
    // A link and not an exclusive open: the lock appears with its contents.
    while (!attempt(() => linkSync(draft, path), 'EEXIST')) {
      if (takeAwayStale(path)) continue;
      if (performance.now() > deadline) {
        throw new RulesFileError(
          'RULES_FILE_BUSY',
          `Another command has been changing ${file} for 10 seconds: try again, or remove ${path} if none is running.`,
        );
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    if (error instanceof RulesFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new RulesFileError('RULES_FILE', `${file} cannot be written (${code}): ${path} cannot be made.`, {
      cause: error,
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

// Moves it aside first: what another process has put in its place meanwhile is put back.
function takeAwayStale(path: string): boolean {
  let text = '';
  let ageMs = 0;
  const isThere = attempt(() => {
    text = readFileSync(path, 'utf8');
    ageMs = Date.now() - statSync(path).mtimeMs;
  }, 'ENOENT');
  if (!isThere) return true;
  if (!isStale(text, ageMs)) return false;
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  if (!attempt(() => renameSync(path, aside), 'ENOENT')) return true;
  if (readFileSync(aside, 'utf8') !== text) attempt(() => linkSync(aside, path), 'EEXIST');
  rmSync(aside, { force: true });
  return true;
}

function isStale(text: string, ageMs: number): boolean {
  let lock: Partial<Lock>;
  try {
    lock = JSON.parse(text) as Partial<Lock>;
  } catch {
    return true; // not a lock: locks are written as a whole
  }
  if (lock.host !== hostname() || !lock.process) return ageMs > OLD_MS;
  return !isRunning(lock.process);
}

function attempt(act: () => void, expected: string): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false;
    throw error;
  }
}
