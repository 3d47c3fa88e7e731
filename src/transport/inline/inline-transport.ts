import { EventEmitter } from 'node:events';
import { ConditionVariable, withDeadline } from '../../async/index.ts';
import { NotKeptError } from '../client/not-kept-error.ts';
import { PendingRequests } from '../client/pending-requests.ts';
import {
  type Dispatch,
  NO_ANSWER,
  type Outcome,
  type Served,
  type SessionTransport,
  type TransportEvents,
} from '../transport.ts';

/** A service in the same process: no message crosses Redis, the data lie there as ever. It never says `up` or `down`;
 *  where Redis is away, requests are answered with the error `unavailable`. */
export class InlineTransport extends EventEmitter<TransportEvents> implements SessionTransport {
  readonly #dispatch: Dispatch;
  readonly #isReady: () => boolean;
  readonly #readiness: ConditionVariable;
  readonly #waiting = new PendingRequests();
  #lastNumber = 0;
  readonly #others = new Set<InlineTransport>();
  #onClose: () => void = () => {};
  #lateReplies = 0;
  #closed = false;

  /** `isReady`: whether the service could serve now; `readiness`: notified when that may have become true. */
  constructor(dispatch: Dispatch, isReady: () => boolean, readiness: ConditionVariable = new ConditionVariable()) {
    super();
    this.#dispatch = dispatch;
    this.#isReady = isReady;
    this.#readiness = readiness;
  }

  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Requests that wait now. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Another one to the same service, for a client of its own: it ends with this one, and this one does not with it. */
  another(): InlineTransport {
    const other = new InlineTransport(this.#dispatch, this.#isReady, this.#readiness);
    if (this.#closed) void other.close();
    else {
      this.#others.add(other);
      other.#onClose = () => this.#others.delete(other);
    }
    return other;
  }

  ready(deadlineMs: number): Promise<boolean> {
    return this.#readiness.waitFor(() => this.#wouldServe, deadlineMs);
  }

  get #wouldServe(): boolean {
    return !this.#closed && this.#isReady();
  }

  /** Settles when it is done. */
  async publish(command: string, session: string, payload: string): Promise<boolean> {
    if (this.#closed) return false;
    return (await this.#dispatch(command, session, payload)).error === undefined;
  }

  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(NO_ANSWER.disconnected);
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const outcome = this.#waiting.add(number, deadlineMs);
    this.#waiting.noteTaken(number);
    void this.#dispatch(command, session, payload).then(({ json }) => {
      const isAwaited = this.#waiting.settle(number, { answered: true, json });
      if (!isAwaited && !this.#closed) this.#lateReplies += 1;
    });
    return outcome;
  }

  /** Its service is of the same version. */
  serves(): boolean {
    return true;
  }

  joins(): boolean {
    return true;
  }

  /** A command was done in Redis, or refused aloud. */
  isDurable(): boolean {
    return true;
  }

  async sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void> {
    if (this.#closed) throw new NotKeptError('NOT_KEPT', `${command} was not done: this transport was closed.`);
    const late = (): Served => ({ json: '', error: new Error('Redis did not answer in time') });
    const { error } = await withDeadline(this.#dispatch(command, session, payload), deadlineMs, late);
    if (error === undefined) return;
    const { message } = error as Error;
    throw new NotKeptError('NOT_KEPT', `${command} was not certainly done: ${message}`, { cause: error });
  }

  peerOf(): string {
    return '';
  }

  isGone(): boolean {
    return false;
  }

  async probe(_command: string, session: string, deadlineMs: number): Promise<boolean> {
    return (await this.request('surface', session, '[]', deadlineMs)).answered;
  }

  /** Settles waiting requests. The service runs on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.settleAll(NO_ANSWER.disconnected);
    for (const other of this.#others) void other.close();
    this.#onClose();
  }
}
