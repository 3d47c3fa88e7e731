import { atEndOfTurn } from '../async/index.ts';
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
    this.#sendAll(this.#requests);
  }

  #sendAll(requests: readonly ReadyRequest[]): void {
    const joining: ReadyRequest[] = [];
    const isServed = requests.length > 1 && this.#sender.servesTogether(this.#session);
    const identify = requests.find(({ command }) => command === 'identify');
    if (identify && requests.length > 1 && !(isServed && this.#joinsAll(requests))) {
      this.#sendBefore(
        identify,
        requests.filter((request) => request !== identify),
      );
      return;
    }
    for (const request of requests) {
      if (isServed && this.#sender.joins(request.command, this.#session)) joining.push(request);
      else this.#sender.send(this.#session, [request], this.#budget);
    }
    for (const message of splitByBounds(joining)) this.#sender.send(this.#session, message, this.#budget);
  }

  #joinsAll(requests: readonly ReadyRequest[]): boolean {
    if (!requests.every(({ command }) => this.#sender.joins(command, this.#session))) return false;
    return splitByBounds(requests).length === 1;
  }

  // In one message the service does it first. In several, the others would be answered without what it merges.
  #sendBefore(identify: ReadyRequest, others: readonly ReadyRequest[]): void {
    const settle: ReadyRequest['settle'] = (reply) => {
      identify.settle(reply);
      this.#sendAll(others);
    };
    this.#sender.send(this.#session, [{ ...identify, settle }], this.#budget);
  }
}

/** The turns of all pages of a client that are not sent yet. */
export class TurnQueue {
  #turns: PageTurn[] = [];

  /** Has a turn sent when the event loop's ends. */
  add(turn: PageTurn): void {
    this.#turns.push(turn);
    if (this.#turns.length === 1) atEndOfTurn(this.#sendAll);
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
