import { type CommandMap, type CommandName, isQuestion, ProtocolError } from '../protocol/index.ts';
import { prepareOrRefuse } from './prepare-command.ts';
import type { ReadyRequest, RequestSender } from './request-sender.ts';
import { PageTurn, type TurnQueue } from './turn-queue.ts';
import type { WaitBudget } from './wait-budget.ts';

type Reply<C extends CommandName> = CommandMap[C]['reply'] | undefined;

/** What a handle asks through: the requests of one session on one page, or of a page without a visitor. */
export interface HandleRequests {
  /** Undefined where the page has no visitor. */
  readonly session: string | undefined;
  /** How long the page may still wait, in milliseconds. */
  readonly leftMs: number;
  /** Sends a command and waits for its answer within the page's deadline. */
  request<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<Reply<C>>;
  /** Sends a command and waits for no answer. Whether it was taken, as far as is known. */
  publish<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<boolean>;
}

/** All requests of one session on one page: they share a deadline, and what is asked in one turn of the event loop travels
 *  as one message. A page view leads it, and counts before the questions are asked. What marks something is sent alone,
 *  behind what was asked before it. `identify` goes with each message until it was answered: the page's questions must see
 *  what it merges, whenever they are asked. */
export class PageRequests implements HandleRequests {
  readonly session: string;
  readonly #sender: RequestSender;
  readonly #turns: TurnQueue;
  readonly #budget: WaitBudget;
  #turn: PageTurn | undefined;
  #identify: ReadyRequest | undefined;

  /** `budget`: the page's, which it can share with another session's requests. */
  constructor(sender: RequestSender, turns: TurnQueue, session: string, budget: WaitBudget) {
    this.#sender = sender;
    this.#turns = turns;
    this.session = session;
    this.#budget = budget;
  }

  get leftMs(): number {
    return this.#budget.leftMs;
  }

  request<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<Reply<C>> {
    this.#sender.counts.requests += 1;
    const prepared = prepareOrRefuse(command, payload);
    if (prepared instanceof ProtocolError) {
      const { replyCode: reason, message } = prepared;
      return Promise.resolve(this.#sender.degrade({ command, session: this.session, reason, message }));
    }
    return new Promise((settle) => {
      const request = { command, prepared, settle: settle as ReadyRequest['settle'], isPublished: false };
      if (command === 'identify') this.#repeat(request);
      else if (isQuestion(command)) this.#inTurn(request);
      else if (this.#leads(command)) this.#leadTurn(request);
      else {
        this.#turn?.send();
        this.#sender.send(this.session, [request], this.#budget);
      }
    });
  }

  publish<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<boolean> {
    const prepared = prepareOrRefuse(command, payload);
    if (prepared instanceof ProtocolError || !this.#leads(command)) {
      this.#turn?.send();
      return this.#sender.publish(command, this.session, prepared);
    }
    this.#sender.counts.publishes += 1;
    return new Promise((settle) => {
      this.#leadTurn({ command, prepared, settle: settle as ReadyRequest['settle'], isPublished: true });
    });
  }

  // Whether it may travel as the first part of a message.
  #leads(command: string): boolean {
    if (command !== 'pageview' || !this.#sender.joins(command, this.session)) return false;
    return this.#sender.servesTogether(this.session);
  }

  #leadTurn(request: ReadyRequest): void {
    this.#turn?.send();
    this.#inTurn(request);
  }

  #inTurn(request: ReadyRequest): void {
    const isFirst = this.#turn === undefined || this.#turn.isSent;
    if (isFirst) {
      this.#turn = new PageTurn(this.#sender, this.session, this.#budget);
      this.#turns.add(this.#turn);
    }
    const before = isFirst && this.#identify !== request ? this.#identify : undefined;
    // A page view stands in front of all else on the wire.
    const isView = !isQuestion(request.command);
    if (before && !isView) this.#turn!.add(before);
    this.#turn!.add(request);
    if (before && isView) this.#turn!.add(before);
  }

  // The same request again: it is settled by its first answer.
  #repeat(request: ReadyRequest): void {
    const settle = (answer: unknown): void => {
      if (answer !== undefined && this.#identify?.settle === settle) this.#identify = undefined;
      request.settle(answer);
    };
    this.#identify = { ...request, settle };
    this.#inTurn(this.#identify);
  }
}
