import type { CommandName } from '../protocol/index.ts';
import type { HandleRequests } from './page-requests.ts';

/** The requests of a page that has no visitor: nothing is sent, no question has an answer, nothing is taken. */
export class NoVisitor implements HandleRequests {
  readonly session = undefined;
  /** The whole deadline, in milliseconds: nothing ever waits. */
  readonly leftMs: number;

  /** `deadlineMs`: the page's. */
  constructor(deadlineMs: number) {
    this.leftMs = deadlineMs;
  }

  /** Answers undefined. */
  request(_: CommandName): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Answers that it was not taken. */
  publish(_: CommandName): Promise<boolean> {
    return Promise.resolve(false);
  }
}
