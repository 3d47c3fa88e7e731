import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { withFileLock } from './file-lock.ts';
import { describeSyntaxError } from './read-json.ts';
import { RulesFileError } from './rules-file-error.ts';

/* json-file.ts: a JSON file that a person edits too. It is replaced as a whole: readers see the old contents or the new, a
 * crash leaves one of them, and two commands change it one after the other. Its mode, its indentation and a link to it
 * stay. */

/** A JSON file that is locked. */
export interface LockedFile {
  /** Its value; undefined where there is no file. */
  readonly value: unknown;
  /** Replaces it. */
  write(value: unknown): void;
}

/** Reads and changes JSON files while no other command changes them. They are locked in the order of their names, so two
 *  commands never wait for each other.
 *  @throws RulesFileError */
export async function withJsonFiles<Result>(
  files: readonly string[],
  work: (opened: readonly LockedFile[]) => Result,
): Promise<Result> {
  const paths = files.map(realPathOf);
  const lockIn = (rest: readonly string[]): Promise<Result> => {
    const [first, ...others] = rest;
    if (first === undefined) return Promise.resolve().then(() => work(paths.map(openLocked)));
    return withFileLock(first, () => lockIn(others));
  };
  return lockIn([...new Set(paths)].sort());
}

/** Reads a JSON file; undefined where there is none.
 *  @throws RulesFileError */
export function readJsonFile(path: string): unknown {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RulesFileError('RULES_FILE', `${path} is not JSON: ${describeSyntaxError(error as Error, text)}`);
  }
}

function openLocked(path: string): LockedFile {
  return { value: readJsonFile(path), write: (value) => replace(path, value) };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new RulesFileError('RULES_FILE', `${path} cannot be read (${code}).`, { cause: error });
  }
}

function replace(path: string, value: unknown): void {
  const old = readText(path);
  const indent = /^[[{]\r?\n([ \t]+)/.exec(old ?? '')?.[1] ?? '  ';
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  try {
    const mode = old === undefined ? 0o644 : statSync(path).mode & 0o777;
    const file = openSync(draft, 'wx', mode);
    try {
      // Not `writeSync`: on a full disk that writes a part, and says so by a number only.
      writeFileSync(file, `${JSON.stringify(value, undefined, indent)}\n`);
      // The mode as it was, whatever the process's umask takes away.
      if (old !== undefined) fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new RulesFileError('RULES_FILE', `${path} cannot be written (${code}).`, { cause: error });
  }
}

// So that the new name survives a power loss too. Some file systems have no such thing.
function syncFolder(folder: string): void {
  try {
    const opened = openSync(folder, 'r');
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  } catch {}
}

// A link stays one: what it leads to is replaced.
function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}
