import { withDeadline } from '../async/index.ts';
import { warnOnce } from '../protocol/internal/index.ts';
import type { Rules } from '../rules/index.ts';
import type { Service, ServiceOptions } from '../service/index.ts';
import { DeferredTransport } from '../transport/inline/index.ts';
import { loadService } from './load-service.ts';

const RETRY_MS = 1_000;
// A first connection gives up earlier.
const CLOSE_DEADLINE_MS = 10_000;

/** A service in the serving process. It is loaded and started when it is made, and tried again each second while it cannot
 *  start (Redis is away, the namespace has another secret); until then nobody serves. */
export class InlineService {
  /** The way to it, for a client; usable at once. */
  readonly transport: DeferredTransport = new DeferredTransport();
  readonly #options: ServiceOptions;
  // Those that replace the rules of the options.
  #rules: Rules = {};
  #starting: Promise<void>;
  // Whether its options could not be used, so that it is tried no more.
  #hasGivenUp = false;
  #service: Service | undefined;
  #stopPause: () => void = () => {};
  #isClosing = false;
  #closed: Promise<void> | undefined;

  /** Begins to start it and returns; never throws. */
  constructor(options: ServiceOptions) {
    this.#options = { ...options, transport: 'inline' };
    this.#starting = this.#start();
  }

  /** Whether it was started. */
  get isRunning(): boolean {
    return this.#service !== undefined;
  }

  /** Replaces all rules; where it does not run yet, it starts with them.
   *  @throws RangeError that begins with the place of what is wrong; then the old rules stay. */
  async setRules(rules: Rules): Promise<void> {
    const { checkRules } = await loadService();
    this.#rules = checkRules(rules);
    this.#service?.setRules(rules);
    if (!this.#hasGivenUp || this.#isClosing) return;
    // It may have been for the rules that these replace.
    this.#hasGivenUp = false;
    this.#starting = this.#start();
  }

  /** Stops it, also while it is being started. Never throws. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    this.#stopPause();
    await withDeadline(this.#starting, CLOSE_DEADLINE_MS, () => undefined);
    await this.#service?.stop();
  }

  async #start(): Promise<void> {
    while (!this.#isClosing) {
      const error = await this.#tryStart();
      if (!error) return;
      this.#report(error);
      // Options that cannot be used will not become better by themselves.
      this.#hasGivenUp = error instanceof RangeError;
      if (this.#hasGivenUp) return;
      await this.#pause();
    }
  }

  async #tryStart(): Promise<Error | undefined> {
    try {
      const { startService } = await loadService();
      if (this.#isClosing) return undefined;
      const rules = this.#rules;
      this.#service = await startService({ ...this.#options, ...rules });
      if (this.#rules !== rules) this.#service.setRules(this.#rules);
      // Closing has not waited for so long.
      if (this.#isClosing) await this.#service.stop();
      else this.transport.open(this.#service.inline);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #report(error: Error): void {
    if (this.#isClosing) return;
    this.transport.fail(error);
    this.#options.log?.error({ err: error }, 'The service of this process could not be started.');
    const { namespace = 'sw' } = this.#options;
    warnOnce(
      'SESSIONWISE_INLINE_FAILED',
      `The service of this process does not run: pages go on without answers. ${error.message}`,
      namespace,
    );
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosing) return resolve();
      const timer = setTimeout(resolve, RETRY_MS).unref();
      this.#stopPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
