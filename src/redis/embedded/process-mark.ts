import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Identifies a process by its pid and the time of its start: containers give the same pids at every start. */
export interface ProcessMark {
  readonly pid: number;
  readonly birth: string;
}

/** Whether exactly this process runs. A zombie does not run: a container without an init may never reap it. */
export function isRunning(mark: ProcessMark): boolean {
  return mark.birth !== undefined && processBirth(mark.pid) === mark.birth;
}

/** The start of a process, in a form that can only be compared; undefined for a dead process or a zombie. */
export function processBirth(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // proc(5): the name in brackets may contain anything; after it come the state (field 3) and the start (field 22).
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    const [state, ...birth] = execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state?.startsWith('Z') ? undefined : birth.join(' ');
  } catch {
    return undefined;
  }
}
