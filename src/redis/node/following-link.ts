import { readRedirect } from '../cluster/redirect.ts';
import { type ConnectionOptions, describeServer } from '../options/connection-options.ts';
import type { MessageListener } from '../redis-connection.ts';
import { RedisNotReadyError } from '../redis-not-ready-error.ts';
import type { AddressResolver, ResolvedAddress } from './address-resolver.ts';
import { createDriver, type Driver, destroyDriver, reconnectDelayMs } from './driver.ts';
import { type ServerLink, type ServerLinkEvents, type SubscriptionKind, subscribeBy } from './server-link.ts';

/* following-link.ts: a link that resolves its address each time that it connects. A driver's address is fixed, so each
 * attempt is a new driver that tries once. The link leaves a server when the connection is lost, when the server answers
 * that it is the wrong one (MOVED, ASK, READONLY, a sharded subscription taken away), and when the address resolver
 * reports another address. */

const MAX_TRIES = 5;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A link to the server whose address a resolver gives. */
export class FollowingLink implements ServerLink {
  readonly #options: ConnectionOptions;
  readonly #name: string;
  readonly #resolver: AddressResolver;
  readonly #events: ServerLinkEvents;
  readonly #subscriptions: Record<SubscriptionKind, Map<string, Set<MessageListener>>> = {
    CHANNELS: new Map(),
    PATTERNS: new Map(),
    SHARDED: new Map(),
  };
  #driver: Driver | undefined;
  #address: ResolvedAddress | undefined;
  // The address that a redirection named.
  #next: ResolvedAddress | undefined;
  #isUp = false;
  #closed = false;
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #waiters: Waiter[] = [];

  constructor(options: ConnectionOptions, name: string, resolver: AddressResolver, events: ServerLinkEvents) {
    this.#options = options;
    this.#name = name;
    this.#resolver = resolver;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#isUp && this.#driver.isReady;
  }

  get address(): ResolvedAddress | undefined {
    return this.#address;
  }

  open(): void {
    if (this.#closed || this.#unwatch !== undefined) return;
    this.#unwatch = this.#resolver.watch(() => this.#onChange());
    void this.#connect();
  }

  send<Reply>(by: (driver: Driver) => Promise<Reply>): Promise<Reply> {
    const driver = this.#driver;
    if (this.#address?.asking) driver.sendCommand(['ASKING']).catch(() => undefined);
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
      const address = this.#next ?? (await this.#resolver.resolve(this.#address));
      if (this.#closed) return;
      this.#next = undefined;
      this.#address = address;
      const driver = createDriver(this.#options, this.#name, address, true);
      this.#driver = driver;
      driver.on('error', (error: Error) => {
        // While it is open it only reports that Redis refused a PING: the connection remains.
        if (driver === this.#driver && !driver.isOpen) this.#lose(error);
      });
      driver.on('ready', () => void this.#verify(driver));
      driver.on('sharded-channel-moved', (channel: string) => {
        this.#leave(driver, new Error(`The channel "${channel}" has gone to another node.`));
      });
      this.#subscribeAgain(driver);
      driver.connect().catch(() => {
        // Its `error` event was handled above; otherwise only our own close rejects here.
      });
    } catch (error) {
      if (!this.#closed) this.#lose(error as Error);
    }
  }

  /** Makes the subscriptions a part of the new driver's handshake: messages are received before `ready` is emitted. */
  #subscribeAgain(driver: Driver): void {
    for (const [kind, channels] of Object.entries(this.#subscriptions)) {
      const subscribed = driver.getPubSubListeners(kind);
      for (const [channel, listeners] of channels) {
        subscribed.set(channel, { unsubscribing: false, buffers: new Set(), strings: new Set(listeners) });
      }
    }
  }

  // HELLO tells the role, and unlike ROLE needs no permission in the ACL.
  async #verify(driver: Driver): Promise<void> {
    if (this.#resolver.needsMaster) {
      try {
        const { role } = await driver.sendCommand(['HELLO']);
        if (role !== 'master') throw new Error(`Redis at ${describeServer(this.#address!)} is no master.`);
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

  /** Leaves a server whose error says that it is the wrong one. Returns whether the error said so. */
  #judge(driver: Driver, error: unknown): boolean {
    if (!this.#resolver.needsMaster) return false;
    const redirect = readRedirect(error, this.#address!.host);
    // Where a script writes, Redis 6 puts other words before the code.
    if (!redirect && !/(^|-)READONLY /.test((error as Error).message)) return false;
    if (redirect && driver === this.#driver) this.#next = { ...redirect.to, asking: redirect.kind === 'ASK' };
    this.#leave(driver, error as Error);
    return true;
  }

  #onChange(): void {
    const [driver, address] = [this.#driver, this.#address];
    if (driver === undefined || address === undefined) return;
    const isCurrent = this.#resolver.isCurrent(address);
    if (address.asking) {
      // The slot is still moving here, or has arrived; where it went back, MOVED will say so.
      if (isCurrent) this.#address = { ...address, asking: false };
    } else if (!isCurrent) {
      this.#leave(driver, new Error(`Redis at ${describeServer(address)} is no longer the one.`));
    }
  }

  #leave(driver: Driver, error: Error): void {
    if (driver === this.#driver && !this.#closed) this.#lose(error);
  }

  #lose(error: Error): void {
    const driver = this.#driver;
    this.#driver = undefined;
    this.#isUp = false;
    // Later, so that commands that wait for replies are rejected with the driver's own reason.
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
