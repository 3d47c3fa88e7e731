import type { IncomingMessage } from 'node:http';
import { RequestRefusedError } from '../request-refused-error.ts';
import type { Role } from '../role.ts';
import type { Access, Operator } from './access.ts';
import { isLoopback, LOOPBACK_NAMES, nameOfHost } from './host-names.ts';

/* Whoever can open a connection from this machine. A proxy on this machine does that for everybody, so a request that went
 * through one is refused. Most proxies say so in a header. nginx says nothing unless it is told to, and names this machine in
 * Host: it is known by HTTP/1.0, which no browser speaks, and by the Origin of what is sent, which it leaves as it came. */

const FORWARDED = ['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'];

/** Lets in who comes from this machine without a proxy. */
export class LoopbackAccess implements Access {
  readonly hostNames: ReadonlySet<string> = LOOPBACK_NAMES;
  readonly #operator: Operator;

  constructor(role: Role = 'operator') {
    this.#operator = { name: 'this machine', role, id: 'loopback' };
  }

  async check(request: IncomingMessage): Promise<Operator> {
    const { socket } = request;
    if (isForwarded(request)) {
      throw new RequestRefusedError(
        403,
        'The dashboard is open to this machine only, and this request came through a proxy: give a token, or the check of your application.',
      );
    }
    if (!isLoopback(socket.remoteAddress)) {
      throw new RequestRefusedError(
        403,
        'The dashboard is open to this machine only: give a token, or the check of your application.',
      );
    }
    return this.#operator;
  }
}

function isForwarded({ headers, httpVersion }: IncomingMessage): boolean {
  const isSaid = Object.keys(headers).some((name) => FORWARDED.includes(name) || name.startsWith('x-forwarded-'));
  return isSaid || httpVersion === '1.0' || (headers.origin !== undefined && !isOfThisMachine(headers.origin));
}

function isOfThisMachine(origin: string): boolean {
  const name = URL.canParse(origin) ? nameOfHost(new URL(origin).host) : undefined;
  return name !== undefined && LOOPBACK_NAMES.has(name);
}
