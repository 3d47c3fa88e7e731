/* npm and npx run a command through a shell that passes no signal on. Told SIGTERM, npm tells the shell, the shell dies
 * of it, and the command goes on as an orphan; after a SIGKILL of npm even the shell goes on (npm 11.19, dash). No pipe
 * and no signal says so to the command, so it looks: a few reads of /proc a second, and only where a package manager
 * started it. Whoever starts `node` or the command itself (systemd, Docker, a supervisor) is not watched. See ADR 0017. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isRunning, type ProcessMark, processBirth } from '../redis/embedded/index.ts';

const EVERY_MS = 250;
const SHELLS = ['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh'];
// As this process began: a start takes long enough for npx to be gone before the watch begins.
const PARENT = process.ppid;
// Set by npm, npx, pnpm and yarn for what they run.
const LAUNCHERS = process.env.npm_lifecycle_event === undefined ? [] : launchers();

/** Calls `onGone` once when npm, npx or another package manager that started this process has ended, or a shell between
 *  them. Does nothing where none did. Keeps no process alive; the returned function ends the watch. */
export function watchLauncher(onGone: () => void): () => void {
  if (LAUNCHERS.length === 0) return () => {};
  const timer = setInterval(() => {
    if (process.ppid === PARENT && LAUNCHERS.every(isAlive)) return;
    clearInterval(timer);
    onGone();
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The parent, and where that is a shell its own parent, until one is none. Whoever has no parent any more was left
 *  alone on purpose. */
function launchers(): ProcessMark[] {
  const marks: ProcessMark[] = [];
  for (let pid = PARENT; pid > 1; ) {
    marks.push({ pid, birth: processBirth(pid) ?? '' });
    const { name, parent } = describe(pid);
    if (!SHELLS.includes(name)) break;
    pid = parent;
  }
  return marks;
}

function describe(pid: number): { name: string; parent: number } {
  try {
    if (process.platform === 'linux') {
      // proc(5): pid (name) state parent; the name may hold anything.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const end = stat.lastIndexOf(')');
      return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(stat.slice(end + 2).split(' ')[1]) };
    }
    const [parent, ...name] = execFileSync('ps', ['-o', 'ppid=', '-o', 'comm=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return { name: basename(name.join(' ')).replace(/^-/, ''), parent: Number(parent) };
  } catch {
    return { name: '', parent: 0 };
  }
}

function isAlive(mark: ProcessMark): boolean {
  // Elsewhere `isRunning` starts a process each time.
  if (process.platform === 'linux') return isRunning(mark);
  try {
    return process.kill(mark.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
