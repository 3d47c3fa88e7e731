import { type Log, openNamespace } from '../service/index.ts';
import { SessionData } from '../sessions/index.ts';
import type { DashboardOptions, OpenedStore } from './dashboard-options.ts';
import { DashboardStore } from './dashboard-store.ts';

/** Opens the store of a dashboard once; where that fails, the next who asks tries again. */
export class StoreOpener {
  readonly #options: DashboardOptions & { readonly dataDir?: string };
  readonly #log: Log;
  #store: Promise<DashboardStore> | undefined;
  #namespace: string;
  #isClosed = false;

  constructor(options: DashboardOptions & { readonly dataDir?: string }, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#namespace = options.namespace ?? (options.sw ? '' : 'sw');
  }

  /** The namespace's name, as far as it is known. */
  get namespace(): string {
    return this.#namespace;
  }

  /** @throws what `openNamespace` throws. */
  open(): Promise<DashboardStore> {
    if (this.#isClosed) return Promise.reject(new TypeError('This dashboard was closed.'));
    this.#store ??= this.#open().catch((error) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  /** Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#store?.then((store) => store.close()).catch(() => undefined);
  }

  async #open(): Promise<DashboardStore> {
    const { sw, config } = this.#options;
    const opened = await (sw ? sw.openForOperators() : this.#openOwn());
    this.#namespace = opened.namespace.keys.namespace;
    return new DashboardStore(opened, this.#log, config);
  }

  async #openOwn(): Promise<OpenedStore> {
    const { redis, secret, namespace: name, dataDir, encryption } = this.#options;
    const named = name === undefined ? {} : { namespace: name };
    const namespace = await openNamespace(
      { redis: redis!, ...named, ...(secret !== undefined && { secret }), ...(dataDir !== undefined && { dataDir }) },
      false,
    );
    // Looks on: sweeping and archiving are for the site and the service.
    const sessions = new SessionData({ redis: redis!, ...named, ...(encryption && { encryption }), sweep: false });
    return { namespace, sessions };
  }
}
