import type { MessageListener } from '../redis-connection.ts';
import type { ResolvedAddress } from './address-resolver.ts';
import { type Driver, destroyDriver } from './driver.ts';
import { type ServerLink, type ServerLinkEvents, type SubscriptionKind, subscribeBy } from './server-link.ts';

/** A link to always the same address; the driver connects again, with its subscriptions. */
export class StaticLink implements ServerLink {
  readonly address: ResolvedAddress | undefined;
  readonly #driver: Driver;

  constructor(driver: Driver, address: ResolvedAddress | undefined, events: ServerLinkEvents) {
    this.#driver = driver;
    this.address = address;
    driver.on('error', (error: Error) => {
      // The driver also tells of its PING that Redis refused (MISCONF, BUSY, LOADING): the connection stands, and no
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
      // Every failure was told as `lost`; what rejects here at last is our own close.
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
