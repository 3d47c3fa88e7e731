import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SerialQueue, withDeadline } from '../async/index.ts';
import { DemoError } from './demo-error.ts';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const START_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 8_000;

/** What the service of the demo is doing. */
export type DemoServiceState = 'on' | 'off' | 'starting' | 'stopping';

/** The service of the demo: a process of its own (`sessionwise serve`), which starts and stops as often as it is told to. */
export class DemoService {
  readonly #args: readonly string[];
  readonly #onDeath: (why: string) => void;
  readonly #listeners: (() => void)[] = [];
  readonly #queue = new SerialQueue();
  #child: ChildProcess | undefined;
  #state: DemoServiceState = 'off';

  /** `args`: of `serve`. `onDeath`: called when the process ended without being stopped, with a signal or an exit code. */
  constructor(args: readonly string[], onDeath: (why: string) => void) {
    this.#args = args;
    this.#onDeath = onDeath;
  }

  get state(): DemoServiceState {
    return this.#state;
  }

  /** Process id; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Has `listener` called whenever the state changes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Starts it and waits until it serves. Does nothing where it runs.
   *  @throws DemoError where it ends at once, or is not ready within 15 seconds. */
  start(): Promise<void> {
    return this.#queue.run(this, () => this.#start());
  }

  /** Stops it and waits for its end. Does nothing where it does not run. */
  stop(): Promise<void> {
    return this.#queue.run(this, () => this.#stop());
  }

  async #start(): Promise<void> {
    if (this.#child) return;
    this.#become('starting');
    // Over the IPC channel the service reports that it is ready; the closing channel tells it that this process ended.
    const child = spawn(process.execPath, [MAIN, 'serve', ...this.#args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    const started = new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new DemoError(`The service ended with code ${code} while it started.`)));
    });
    await withDeadline(started, START_DEADLINE_MS, () => {
      throw new DemoError('The service did not become ready in time.');
    }).catch(async (error: unknown) => {
      await this.#stop();
      throw error;
    });
    this.#become('on');
    child.once('exit', (code, signal) => {
      if (this.#state === 'stopping') return;
      this.#child = undefined;
      this.#become('off');
      this.#onDeath(signal ?? `code ${code}`);
    });
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#become('stopping');
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(timer);
    }
    this.#child = undefined;
    this.#become('off');
  }

  #become(state: DemoServiceState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
