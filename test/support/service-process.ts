import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

/** An instance of the service as a process of its own, for faults that only a process can have. */
export interface ServiceProcess {
  readonly instance: string;
  /** When it said that it is ready, on the clock of `performance.now()`. */
  readonly readyAt: number;
  /** Sends a signal; with SIGKILL, resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>;
}

/** Starts `sessionwise serve` as it was built, and waits until it is ready.
 *  @throws Error where it was not built: `npm test` does that first. */
export async function startServiceProcess(redis: string, secret: string, ...more: string[]): Promise<ServiceProcess> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run \`npm run build\` first, as \`npm test\` does.`);
  const child: ChildProcess = spawn(
    process.execPath,
    [MAIN, 'serve', '--redis', redis, '--log-level', 'silent', ...more],
    { env: { ...process.env, SESSIONWISE_SECRET: secret }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  let errors = '';
  child.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!first) throw new Error(`The service ended before it was ready: ${errors}`);
  const readyAt = performance.now();
  const { instance } = first[0] as { instance: string };
  return {
    instance,
    readyAt,
    async kill(signal) {
      child.kill(signal);
      if (signal === 'SIGKILL') await exited;
    },
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}
