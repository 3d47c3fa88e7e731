import type { ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { endAnswer } from './visitor-stream.ts';

const LOOK_MS = 250;

/** Ends streams of servers that close: else `server.close()` would wait for them for ever, and with it a process that wants
 *  to end. Node does not say when a server begins to close, so it is looked at four times a second. */
export class ServerWatch {
  readonly #open = new Map<Server, Set<ServerResponse>>();
  #timer: NodeJS.Timeout | undefined;

  /** Watches the server of an answer until the answer has ended. */
  add(response: ServerResponse): void {
    const server = (response.socket as { server?: Server } | null)?.server;
    if (!server) return;
    const open = this.#open.get(server) ?? new Set();
    this.#open.set(server, open.add(response));
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0 && this.#open.get(server) === open) this.#open.delete(server);
    });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const [server, open] of this.#open) {
      if (!server.listening) for (const response of open) endAnswer(response);
    }
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
