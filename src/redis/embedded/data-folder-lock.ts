import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, quietly, removeSocket } from './atomic-file.ts';
import { DataFolderInUseError } from './data-folder-in-use-error.ts';
import { isRunning, type ProcessMark, processBirth } from './process-mark.ts';

/* data-folder-lock.ts: allows one embedded Redis per data folder.
 *
 * `<dataDir>/redis.lock` names the two processes that may write there: ours and the server. The lock is stale when both
 * have ended *and* no server listens on the socket: in another container pids mean nothing, but the socket of a shared
 * folder answers. (With `port` there is no socket, and two containers on one folder are not noticed.) */

const POLL_MS = 5;

/** The contents of a lock's file. */
export interface Lock {
  readonly startedBy: ProcessMark;
  readonly server?: ProcessMark;
  readonly socketPath?: string;
}

/** Takes the lock; the lock of dead processes is taken over. A server whose parent has died is about to end: it is waited
 *  for until `deadline`, by `performance.now()`.
 *  @throws DataFolderInUseError where another process holds the lock. */
export async function lockDataFolder(dataDir: string, deadline: number): Promise<void> {
  const path = lockFile(dataDir);
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify({ startedBy: markOf(process.pid) } satisfies Lock));
  try {
    for (;;) {
      // A link and not an exclusive open: the lock appears with its contents, so that no reader sees half of it.
      if (attempt(() => linkSync(draft, path), 'EEXIST')) return;
      let text = '';
      if (!attempt(() => (text = readFileSync(path, 'utf8')), 'ENOENT')) continue;
      const lock = parseLock(text);
      if (lock && isRunning(lock.startedBy)) throw inUse(dataDir, lock);
      if (lock && (await serverLives(lock))) {
        if (performance.now() > deadline) throw inUse(dataDir, lock);
        await sleep(POLL_MS);
        continue;
      }
      takeAway(path, text);
      // Never the socket in the data folder: by now it may belong to a process that was quicker. The server replaces that
      // socket itself.
      if (lock?.socketPath && dirname(lock.socketPath) !== dataDir) removeSocket(dataDir, lock.socketPath);
    }
  } finally {
    quietly(() => rmSync(draft));
  }
}

async function serverLives(lock: Lock): Promise<boolean> {
  if (lock.server && isRunning(lock.server)) return true;
  if (!lock.socketPath) return false;
  const socket = connect(lock.socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return !['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    socket.destroy();
  }
}

/** Removes a stale lock, but not a new one that another process has put in its place meanwhile. */
function takeAway(path: string, staleText: string): void {
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  if (!attempt(() => renameSync(path, aside), 'ENOENT')) return;
  if (readFileSync(aside, 'utf8') !== staleText) attempt(() => linkSync(aside, path), 'EEXIST');
  quietly(() => rmSync(aside));
}

function inUse(dataDir: string, { startedBy, server }: Lock): DataFolderInUseError {
  const who = `started by process ${startedBy.pid}${server ? `, is process ${server.pid}` : ''}`;
  return new DataFolderInUseError(
    `A Redis already runs in ${dataDir} (${who}). Stop it, or choose another data folder.`,
  );
}

function parseLock(text: string): Lock | undefined {
  try {
    const lock = JSON.parse(text) as Lock;
    return lock.startedBy ? lock : undefined;
  } catch {
    return undefined; // not a lock: locks are written as a whole
  }
}

/** The lock's file. */
export function lockFile(dataDir: string): string {
  return join(dataDir, 'redis.lock');
}

/** Marks a process, so that a later process with the same pid is another one. */
export function markOf(pid: number): ProcessMark {
  return { pid, birth: processBirth(pid) ?? '' };
}
