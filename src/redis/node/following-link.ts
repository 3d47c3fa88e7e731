import { readRedirect } from '../cluster/redirect.ts';
import { type ConnectionOptions, describeServer } from '../options/connection-options.ts';
import { type MessageListener, RedisNotReadyError } from '../redis-connection.ts';
import type { Locator, Place } from './address-resolver.ts';
import { createDriver, type Driver, destroyDriver, reconnectDelayMs } from './driver.ts';
import { type Link, type LinkEvents, type SubscriptionKind, subscribeBy } from './server-link.ts';

/* following-link.ts: a link that asks where to go each time that it connects. A driver's address is fixed, so each
 * attempt is a new driver that tries once. It goes elsewhere when the connection is lost, when the server says that it
 * is the wrong one (MOVED, ASK, READONLY, a sharded subscription taken away), and when the locator knows better. */

const MAX_TRIES = 5;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A link to the server that a locator names. */
export class RelocatingLink implements Link {
  readonly #options: ConnectionOptions;
  readonly #name: string;
  readonly #locator: Locator;
  readonly #events: LinkEvents;
  readonly #subscriptions: Record<SubscriptionKind, Map<string, Set<MessageListener>>> = {
    CHANNELS: new Map(),
    PATTERNS: new Map(),
    SHARDED: new Map(),
  };
  #driver: Driver | undefined;
  #place: Place | undefined;
  // Where a redirection sends us.
  #next: Place | undefined;
  #isUp = false;
  #closed = false;
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #waiters: Waiter[] = [];

  constructor(options: ConnectionOptions, name: string, locator: Locator, events: LinkEvents) {
    this.#options = options;
    this.#name = name;
    this.#locator = locator;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#isUp && this.#driver.isReady;
  }

  get place(): Place | undefined {
    return this.#place;
  }

  open(): void {
    if (this.#closed || this.#unwatch !== undefined) return;
    this.#unwatch = this.#locator.watch(() => this.#onChange());
    void this.#connect();
  }

  send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply> {
    const driver = this.#driver;
    if (this.#place?.asking) driver.sendCommand(['ASKING']).catch(() => undefined);
    const reply = by(driver);
    reply.catch((error: unknown) => this.#judge(driver, error));
    return reply;
  }

  async subscribe(kind: SubscriptionKind, channels: readonly string[], listener: MessageListener): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      if (!this.isReady) await this.#settled();
      const driver = this.#driver;
      try {
        await subscribeBy(driver, kind, channels, listener);
        break;
      } catch (error) {
        if (!this.#judge(driver, error) || tries === MAX_TRIES) throw error;
      }
    }
    for (const channel of channels) {
      const listeners = this.#subscriptions[kind].get(channel);
      if (listeners) listeners.add(listener);
      else this.#subscriptions[kind].set(channel, new Set([listener]));
    }
  }

  async unsubscribePatterns(): Promise<void> {
    this.#subscriptions.PATTERNS.clear();
    if (this.isReady) await this.#driver.pUnsubscribe();
  }

  async drain(): Promise<void> {
    this.#end();
    await this.#driver?.close();
  }

  destroy(): void {
    this.#end();
    this.#isUp = false;
    if (this.#driver) destroyDriver(this.#driver);
  }

  async #connect(): Promise<void> {
    try {
      const place = this.#next ?? (await this.#locator.locate(this.#place));
      if (this.#closed) return;
      this.#next = undefined;
      this.#place = place;
      const driver = createDriver(this.#options, this.#name, place, true);
      this.#driver = driver;
      driver.on('error', (error: Error) => {
        // While it is open it only tells of a PING that Redis refused: the connection stands.
        if (driver === this.#driver && !driver.isOpen) this.#lose(error);
      });
      driver.on('ready', () => void this.#verify(driver));
      driver.on('sharded-channel-moved', (channel: string) => {
        this.#leave(driver, new Error(`The channel "${channel}" has gone to another node.`));
      });
      this.#subscribeAgain(driver);
      driver.connect().catch(() => {
        // Its `error` was told already; what else rejects here is our own close.
      });
    } catch (error) {
      if (!this.#closed) this.#lose(error as Error);
    }
  }

  /** What was subscribed to becomes part of the new driver's handshake: it is heard before `ready` is told. */
  #subscribeAgain(driver: Driver): void {
    for (const [kind, channels] of Object.entries(this.#subscriptions)) {
      const heard = driver.getPubSubListeners(kind);
      for (const [channel, listeners] of channels) {
        heard.set(channel, { unsubscribing: false, buffers: new Set(), strings: new Set(listeners) });
      }
    }
  }

  // HELLO, because a user needs no permission for it, as for ROLE.
  async #verify(driver: Driver): Promise<void> {
    if (this.#locator.needsMaster) {
      try {
        const { role } = await driver.sendCommand(['HELLO']);
        if (role !== 'master') throw new Error(`Redis at ${describeServer(this.#place!)} is no master.`);
      } catch (error) {
        this.#leave(driver, error as Error);
        return;
      }
    }
    if (driver !== this.#driver || this.#closed) return;
    this.#isUp = true;
    this.#retries = 0;
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    this.#events.onReady();
  }

  /** Leaves a server that says that it is the wrong one; whether it said so. */
  #judge(driver: Driver, error: unknown): boolean {
    if (!this.#locator.needsMaster) return false;
    const redirect = readRedirect(error, this.#place!.host);
    // Where a script writes, Redis 6 puts its own words before the code.
    if (!redirect && !/(^|-)READONLY /.test((error as Error).message)) return false;
    if (redirect && driver === this.#driver) this.#next = { ...redirect.to, asking: redirect.kind === 'ASK' };
    this.#leave(driver, error as Error);
    return true;
  }

  #onChange(): void {
    const [driver, place] = [this.#driver, this.#place];
    if (driver === undefined || place === undefined) return;
    const isRight = this.#locator.isRight(place);
    if (place.asking) {
      // The slot is still on its way here, or has arrived; where it went back, MOVED will tell.
      if (isRight) this.#place = { ...place, asking: false };
    } else if (!isRight) {
      this.#leave(driver, new Error(`Redis at ${describeServer(place)} is no longer the one.`));
    }
  }

  #leave(driver: Driver, error: Error): void {
    if (driver === this.#driver && !this.#closed) this.#lose(error);
  }

  #lose(error: Error): void {
    const driver = this.#driver;
    this.#driver = undefined;
    this.#isUp = false;
    // Later, so that what waits on it hears the driver's own reason.
    if (driver) setImmediate(() => destroyDriver(driver));
    this.#timer = setTimeout(() => void this.#connect(), reconnectDelayMs(this.#retries));
    this.#retries += 1;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    this.#events.onLost(error);
  }

  #settled(): Promise<void> {
    if (this.#closed) return Promise.reject(new RedisNotReadyError('The connection is closed.'));
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  #end(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    for (const { reject } of this.#waiters.splice(0)) reject(new RedisNotReadyError('The connection is closed.'));
  }
}
