import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRedis, outputTail, startEmbeddedRedis } from '../../redis/embedded/index.ts';
import { type Config, rulesOf } from '../config/index.ts';
import { ReplayError } from './replay-error.ts';

/* own-store.ts: starts a Redis and a service for one replay, as two processes with a temporary folder.
 *
 * The service stops when the IPC channel to this process closes, so that it ends even if this process gets a SIGKILL;
 * the embedded Redis has its own means for that. The service has a process group of its own: Ctrl-C in the terminal
 * reaches only this process, which then stops the service in order. */

export interface OwnStoreOptions {
  readonly namespace: string;
  /** The service gets the rules, `exactLimit`, `filter` and `retention` from it. */
  readonly config: Config;
  /** Called if the service or Redis ends before `stop`. */
  readonly onFailure: (error: ReplayError) => void;
  /** The compiled `sessionwise` command. Default: this package's. */
  readonly program?: string;
}

/** A Redis and a service that a replay started. */
export interface OwnStore {
  readonly url: string;
  readonly servicePid: number;
  readonly redisPid: number;
  /** Ends both and removes their folder. Never throws. */
  stop(): Promise<void>;
}

const OUTPUT_TAIL = 1_000;
const STOP_DEADLINE_MS = 5_000;

/** Starts both. It does not wait until the service is ready.
 *  @throws ReplayError `OWN_STORE_FAILED`, or an error of the embedded Redis. It leaves no process and no folder
 *  then. */
export async function startOwnStore(options: OwnStoreOptions): Promise<OwnStore> {
  const { program = fileURLToPath(new URL('../main.js', import.meta.url)) } = options;
  if (!existsSync(program)) {
    throw new ReplayError('OWN_STORE_FAILED', `The service's program ${program} is missing: build the package first.`);
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'sessionwise-replay-'));
  let redis: EmbeddedRedis | undefined;
  let service: ChildProcess | undefined;
  let isStopping = false;
  const stop = async (): Promise<void> => {
    isStopping = true;
    if (service) await end(service);
    await redis?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    redis = await startEmbeddedRedis({ dataDir, persistence: false });
    void redis.exited.then(() => {
      if (!isStopping) options.onFailure(new ReplayError('OWN_STORE_FAILED', 'The Redis of this replay ended.'));
    });
    service = await startServe(program, redis.url, dataDir, options);
    const output = outputTail(service, OUTPUT_TAIL);
    service.once('close', (code, signal) => {
      if (isStopping) return;
      const last = output();
      const what = `The service of this replay ended (${signal ?? `exit code ${code}`})`;
      options.onFailure(new ReplayError('OWN_STORE_FAILED', last === '' ? `${what}.` : `${what}: ${last}`));
    });
    return { url: redis.url, servicePid: service.pid!, redisPid: redis.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startServe(
  program: string,
  url: string,
  dataDir: string,
  { namespace, config }: OwnStoreOptions,
): Promise<ChildProcess> {
  const { exactLimit, filter, retention } = config;
  const configFile = join(dataDir, 'config.json');
  await writeFile(configFile, JSON.stringify({ ...rulesOf(config), exactLimit, filter, retention }));
  const flags = ['--redis', url, '--namespace', namespace, '--config', configFile, '--data-dir', dataDir];
  const service = spawn(process.execPath, [program, 'serve', '--accept-times', '--log-level', 'warn', ...flags], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, SESSIONWISE_SECRET: randomBytes(32).toString('base64url') },
  });
  await once(service, 'spawn').catch((error: Error) => {
    throw new ReplayError('OWN_STORE_FAILED', `The service of this replay did not start: ${error.message}.`, {
      cause: error,
    });
  });
  service.on('error', () => undefined);
  return service;
}

async function end(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const exited = once(service, 'exit');
  service.kill('SIGTERM');
  const killing = setTimeout(() => service.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(killing);
}
