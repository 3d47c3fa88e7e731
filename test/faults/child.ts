import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A child process that told something when it was ready. */
export interface Child<Ready> {
  readonly ready: Ready;
  readonly process: ChildProcess;
  readonly isAlive: boolean;
  /** Resolves with its exit code when it is gone; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Sends a signal; with one that ends it, resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

const children = new Set<ChildProcess>();

/** Ends all children that a test left. */
export async function endChildren(): Promise<void> {
  const left = [...children].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    left.map(async (child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }),
  );
  children.clear();
}

/** Starts a script of this folder, or what was built, and waits for its first message.
 *  @throws Error with what it wrote, where it ends before. */
export async function startChild<Ready>(
  script: string,
  args: readonly string[],
  env = {},
  flags: readonly string[] = [],
): Promise<Child<Ready>> {
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, script), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  children.add(child);
  let errors = '';
  child.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit').then(() => {
    // Nobody ended it: what it wrote says why.
    if (child.exitCode) console.error(`${script} ended with ${child.exitCode}: ${errors}`);
    return child.exitCode;
  });
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!first) throw new Error(`${script} ended before it was ready: ${errors}`);
  return {
    ready: first[0] as Ready,
    process: child,
    exited,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    async kill(signal) {
      if (signal === 'SIGTERM') child.kill('SIGCONT');
      child.kill(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await exited;
    },
  };
}
