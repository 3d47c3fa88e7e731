import { EventEmitter } from 'node:events';
import { ConditionVariable } from '../../async/index.ts';
import { NotKeptError } from '../client/not-kept-error.ts';
import { NO_ANSWER, type Outcome, type SessionTransport, type TransportEvents } from '../transport.ts';
import { InlineTransport } from './inline-transport.ts';

/** Messages without an answer that are held for a service that is being started; further ones are lost. */
const MAX_HELD = 1_000;

/** The transport to a service of this process that is still being started. Until `open` is called nobody serves: requests
 *  are answered so at once, and what must be kept waits for the service within its deadline. Views are held until the first
 *  start has ended, and lost where it failed: without them a site's first pages would stay new to its first visitor. A page
 *  never fails or waits because of it. */
export class DeferredTransport extends EventEmitter<TransportEvents> implements SessionTransport {
  readonly #arrival = new ConditionVariable();
  #inner: SessionTransport | undefined;
  #closed = false;
  #hasFailed = false;

  get lateReplies(): number {
    return this.#inner?.lateReplies ?? 0;
  }

  /** Passes everything on to the service's transport from now on. */
  open(inline: SessionTransport): void {
    if (this.#closed) return;
    // Closing this one must not close the service's.
    this.#inner = inline instanceof InlineTransport ? inline.another() : inline;
    this.#arrival.notifyAll();
    // Not within the start: what a listener of the application throws is its own error, and no reason to start once more.
    queueMicrotask(() => this.emit('up'));
  }

  /** Tells that the service could not be started. */
  fail(error: Error): void {
    this.#hasFailed = true;
    this.#arrival.notifyAll();
    if (!this.#closed) queueMicrotask(() => this.emit('down', error));
  }

  async ready(deadlineMs: number): Promise<boolean> {
    const before = performance.now();
    const inner = await this.#arrived(deadlineMs);
    return inner?.ready(deadlineMs - (performance.now() - before)) ?? false;
  }

  async publish(command: string, session: string, payload: string): Promise<boolean> {
    const inner = this.#inner ?? (await this.#firstStart());
    return inner?.publish(command, session, payload) ?? false;
  }

  async request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#closed) return NO_ANSWER.disconnected;
    return this.#inner?.request(command, session, payload, deadlineMs) ?? NO_ANSWER['nobody-listens'];
  }

  /** The service is of the same version. */
  serves(): boolean {
    return true;
  }

  joins(): boolean {
    return true;
  }

  /** As with a service that runs: a command was done in Redis, or refused aloud. */
  isDurable(): boolean {
    return true;
  }

  async sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void> {
    const before = performance.now();
    const inner = await this.#arrived(deadlineMs);
    const leftMs = deadlineMs - (performance.now() - before);
    if (inner && leftMs > 0) return inner.sendDurably(command, session, payload, leftMs);
    throw new NotKeptError('NOT_KEPT', `${command} was not done: the service of this process does not run.`);
  }

  peerOf(): string {
    return '';
  }

  isGone(): boolean {
    return false;
  }

  async probe(command: string, session: string, deadlineMs: number): Promise<boolean> {
    return this.#inner?.probe(command, session, deadlineMs) ?? false;
  }

  /** Settles waiting requests. The service runs on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#arrival.notifyAll();
    await this.#inner?.close();
  }

  // Without a timer, which would keep the process alive: a start ends by itself.
  async #firstStart(): Promise<SessionTransport | undefined> {
    if (this.#arrival.size >= MAX_HELD) return undefined;
    await this.#arrival.waitFor(() => this.#inner !== undefined || this.#closed || this.#hasFailed);
    return this.#inner;
  }

  async #arrived(deadlineMs: number): Promise<SessionTransport | undefined> {
    await this.#arrival.waitFor(() => this.#inner !== undefined || this.#closed, deadlineMs);
    return this.#inner;
  }
}
