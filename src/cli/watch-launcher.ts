/* watch-launcher.ts: notices the end of the npm or npx that started this process.
 *
 * npm and npx run a command through a shell that forwards no signal. On SIGTERM npm signals the shell, the shell ends,
 * and the command runs on as an orphan; after a SIGKILL of npm even the shell runs on (npm 11.19, dash). The command
 * gets neither a signal nor a closed pipe, so it polls: a few reads of /proc a second, only if a package manager
 * started it. Other parents (systemd, Docker, a supervisor) are not watched. See ADR 0017. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isRunning, type ProcessMark, processBirth } from '../redis/embedded/index.ts';

const EVERY_MS = 250;
const SHELLS = ['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh'];
// Read when the module loads: npx may end before the watch begins.
const PARENT = process.ppid;
// npm, npx, pnpm and yarn set this variable for the commands that they run.
const LAUNCHERS = process.env.npm_lifecycle_event === undefined ? [] : launchers();

/** Calls `onGone` once when the package manager that started this process has ended, or a shell between the two. Does
 *  nothing if no package manager started it. The watch does not keep the process alive; the returned function ends
 *  it. */
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

/** Lists the parent, and above each shell its parent. Stops at pid 1: a process whose parent has already ended was
 *  detached on purpose. */
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
  // Outside Linux `isRunning` starts a process each time, so only the pid is checked.
  if (process.platform === 'linux') return isRunning(mark);
  try {
    return process.kill(mark.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
