import type { MessageListener } from '../redis-connection.ts';
import type { ResolvedAddress } from './address-resolver.ts';
import { type Driver, destroyDriver } from './driver.ts';
import { type ServerLink, type ServerLinkEvents, type SubscriptionKind, subscribeBy } from './server-link.ts';

/** A link whose address never changes: the driver reconnects by itself and renews its subscriptions. */
export class StaticLink implements ServerLink {
  readonly address: ResolvedAddress | undefined;
  readonly #driver: Driver;

  constructor(driver: Driver, address: ResolvedAddress | undefined, events: ServerLinkEvents) {
    this.#driver = driver;
    this.address = address;
    driver.on('error', (error: Error) => {
      // The driver also reports that Redis refused its PING (MISCONF, BUSY, LOADING): the connection is open then, and no
      // `ready` would follow.
      if (!driver.isReady) events.onLost(error);
    });
    driver.on('ready', () => events.onReady());
  }

  get isReady(): boolean {
    return this.#driver.isReady;
  }

  open(): void {
    this.#driver.connect().catch(() => {
      // Every failure was reported as `lost`; only our own close rejects here.
    });
  }

  send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply> {
    return by(this.#driver);
  }

  async subscribe(kind: SubscriptionKind, channels: readonly string[], listener: MessageListener): Promise<void> {
    await subscribeBy(this.#driver, kind, channels, listener);
  }

  async unsubscribePatterns(): Promise<void> {
    await this.#driver.pUnsubscribe();
  }

  async drain(): Promise<void> {
    await this.#driver.close();
  }

  destroy(): void {
    destroyDriver(this.#driver);
  }
}
