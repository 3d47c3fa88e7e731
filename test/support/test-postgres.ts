import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { waitUntil } from './wait-until.ts';

/* A private PostgreSQL: a cluster in a folder of its own, reached by a socket in that folder. `setpriv` (util-linux) takes
 * root's rights away, which postgres refuses to run with, and lets the server end with this process. */

/** A PostgreSQL of one test file; its folder is removed at `stop()`. */
export interface TestPostgres {
  /** For the package `pg`. */
  readonly connectionString: string;
  /** One query over a connection of its own. */
  query<Row extends pg.QueryResultRow = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** SIGKILL to the server; resolves when it and its backends are gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const USER = 'sessionwise';

/** The folder of the newest PostgreSQL's programs; undefined, and said once, where there is none.
 *  @throws Error where there is none and CI is set. */
export const postgresFolder: string | undefined = findPostgres();

/** Starts a cluster: empty, without fsync, everybody trusted. */
export async function startTestPostgres(): Promise<TestPostgres> {
  if (postgresFolder === undefined) throw new Error('There is no PostgreSQL here: ask for postgresFolder first.');
  const folder = mkdtempSync(join(tmpdir(), 'sw-postgres-'));
  const data = join(folder, 'data');
  const rights = process.getuid?.() === 0 ? dropRights(folder) : [];
  const run = (program: string, ...args: string[]): [string, string[]] => [
    'setpriv',
    [...rights, '--pdeathsig', 'INT', join(postgresFolder, program), ...args],
  ];
  execFileSync(...run('initdb', '-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'), {
    stdio: 'ignore',
    cwd: folder,
  });
  const connectionString = `postgres:///postgres?host=${encodeURIComponent(folder)}&user=${USER}`;
  const query: TestPostgres['query'] = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
    const client = new pg.Client({ connectionString });
    // What is killed under it is told by the query's own refusal.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  let server: ChildProcess;
  const isGone = (): boolean => server.exitCode !== null || server.signalCode !== null;
  const start = async (): Promise<void> => {
    // The children of a server that was killed take a moment to notice; until then it refuses to start, and is asked again.
    await waitUntil(
      'PostgreSQL answers',
      async () => {
        if (server === undefined || isGone()) {
          server = spawn(...run('postgres', '-D', data, '-k', folder, '-h', '', '-F', '-c', 'max_connections=40'), {
            stdio: 'ignore',
            cwd: folder,
          });
        }
        return query('SELECT 1').then(
          () => true,
          () => false,
        );
      },
      25_000,
    );
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (isGone()) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  await start();
  return {
    connectionString,
    query,
    kill: async () => {
      const backends = await query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
      await end('SIGKILL');
      // They end by themselves when they notice, and until then go on serving who is connected.
      await waitUntil('no backend is left', () => backends.every(({ pid }) => !isAlive(pid)));
    },
    restart: start,
    stop: async () => {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((one, other) => Number(other) - Number(one)) : [];
  const found = versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (found !== undefined) return found;
  const what = `PostgreSQL is not installed (${root}): its tests do not run. apt-get install postgresql`;
  if (process.env.CI) throw new Error(what);
  console.warn(what);
  return undefined;
}

/** Whether a process runs; one that nobody has fetched the exit code of (state Z) does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Gives the folder to a user without rights, and says how to become that user. */
function dropRights(folder: string): string[] {
  const id = (flag: string): number => {
    const ask = (user: string): string => execFileSync('id', [flag, user], { encoding: 'utf8', stdio: 'pipe' });
    try {
      return Number(ask('postgres'));
    } catch {
      return Number(ask('nobody'));
    }
  };
  const [uid, gid] = [id('-u'), id('-g')];
  chownSync(folder, uid, gid);
  return ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
}
