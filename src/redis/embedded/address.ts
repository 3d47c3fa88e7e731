import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A process, told apart from a later one that got the same pid: containers hand out the same pids at every start. */
export interface ProcessMark {
  readonly pid: number;
  readonly birth: string;
}

/** What `redis.json` holds. `startedBy` is the pid of the process whose child the server is. */
export interface EmbeddedAddress extends ProcessMark {
  readonly url: string;
  readonly startedBy: number;
}

/** Where the embedded Redis of `dataDir` leaves its address while it runs. */
export function embeddedAddressFile(dataDir: string): string {
  return join(dataDir, 'redis.json');
}

/** The url of the embedded Redis that runs in `dataDir`: `unix://<absolute path>` or
 *  `redis://127.0.0.1:<port>`. Undefined where none runs: a file left by a dead one is ignored. */
export function readEmbeddedAddress(dataDir: string): string | undefined {
  try {
    const address = JSON.parse(readFileSync(embeddedAddressFile(dataDir), 'utf8')) as EmbeddedAddress;
    return typeof address.url === 'string' && isRunning(address) ? address.url : undefined;
  } catch {
    return undefined;
  }
}

/** Whether this very process runs. A zombie does not: nobody may ever reap it in a container without an init. */
export function isRunning(mark: ProcessMark): boolean {
  return mark.birth !== undefined && processBirth(mark.pid) === mark.birth;
}

/** When the process began, in a form that only compares; undefined for a dead process or a zombie. */
export function processBirth(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // proc(5): the name in brackets may hold anything; after it comes the state (field 3), the start is field 22.
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
