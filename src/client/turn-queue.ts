import type { ReadyRequest, RequestSender } from './request-sender.ts';
import { splitByBounds } from './together.ts';
import type { WaitBudget } from './wait-budget.ts';

/* turn-queue.ts: what a page asks in one turn of the event loop travels as one message. A turn ends when its callback and
 * all promises that this resolved are done: so a handler that awaits something already there between two questions still
 * asks both at once, and nothing waits for another page's input. */

/** What one page has asked in the current turn. Where several questions cannot join, they travel alone, and those that can
 *  travel together behind them. */
export class PageTurn {
  readonly #sender: RequestSender;
  readonly #session: string;
  readonly #budget: WaitBudget;
  readonly #requests: ReadyRequest[] = [];
  #isSent = false;

  constructor(sender: RequestSender, session: string, budget: WaitBudget) {
    this.#sender = sender;
    this.#session = session;
    this.#budget = budget;
  }

  /** Whether it has been sent, so that it takes no more requests. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Adds a request that is sent when the turn ends. */
  add(request: ReadyRequest): void {
    this.#requests.push(request);
  }

  /** Sends its requests, in as few messages as may be. Does nothing the second time. */
  send(): void {
    if (this.#isSent) return;
    this.#isSent = true;
    const requests = this.#requests;
    const joining: ReadyRequest[] = [];
    const isServed = requests.length > 1 && this.#sender.servesTogether(this.#session);
    for (const request of requests) {
      if (isServed && this.#sender.joins(request.command, this.#session)) joining.push(request);
      else this.#sender.send(this.#session, [request], this.#budget);
    }
    for (const message of splitByBounds(joining)) this.#sender.send(this.#session, message, this.#budget);
  }
}

/** The turns of all pages of a client that are not sent yet. */
export class TurnQueue {
  #turns: PageTurn[] = [];

  /** Has a turn sent when the event loop's ends. */
  add(turn: PageTurn): void {
    this.#turns.push(turn);
    // `nextTick` alone would come before the promises that the running callback resolves.
    if (this.#turns.length === 1) queueMicrotask(() => process.nextTick(this.#sendAll));
  }

  /** Sends all that was asked so far. */
  sendNow(): void {
    this.#sendAll();
  }

  readonly #sendAll = (): void => {
    const turns = this.#turns;
    this.#turns = [];
    for (const turn of turns) turn.send();
  };
}
