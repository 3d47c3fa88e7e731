import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { MAIN } from './run-cli.ts';

/** `sessionwise dashboard` as a process of its own. */
export interface DashboardProcess {
  readonly url: string;
  /** What it has written to standard error: its log. */
  log(): string;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>;
}

/** Starts the built dashboard on a free port of 127.0.0.1, and waits until it is ready. */
export async function startDashboardProcess(
  redis: string,
  secret: string,
  more: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<DashboardProcess> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'dashboard', '--redis', redis, '--port', '0', ...more], {
    env: { ...process.env, SESSIONWISE_SECRET: secret, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!first) throw new Error(`The dashboard ended before it was ready: ${errors}`);
  const { url } = first[0] as { url: string };
  return {
    url,
    log: () => errors,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}
