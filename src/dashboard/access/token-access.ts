import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestRefusedError } from '../request-refused-error.ts';
import type { Role } from '../role.ts';
import type { Access, Login, Operator } from './access.ts';
import { LOOPBACK_NAMES } from './host-names.ts';
import { TryLimit } from './try-limit.ts';

/* The token is typed into a form and exchanged for a cookie that holds no token: an id and its end, signed with a key of
 * this process. So a cookie that is stolen ends by itself, and all end with the process. */

const COOKIE = 'sessionwise-dashboard';
const LIFE_MS = 8 * 3_600_000;
const MOST_LEFT = 10_000;
/** The fewest characters of a token. */
export const SHORTEST_TOKEN = 16;

/** Lets in who knows the token. */
export class TokenAccess implements Access {
  readonly hostNames: ReadonlySet<string>;
  readonly acceptsNumericHosts: boolean;
  readonly login: Login;
  readonly #digest: Buffer;
  readonly #key = randomBytes(32);
  readonly #role: Role;
  readonly #tries = new TryLimit();
  /** Logged out before their end: id -> end. */
  readonly #left = new Map<string, number>();

  /** `hostNames`: beside those of this machine.
   *  @throws RangeError for a token that is too short. */
  constructor(
    token: string,
    role: Role,
    {
      hostNames = [],
      anyNumeric = false,
    }: { readonly hostNames?: readonly string[]; readonly anyNumeric?: boolean } = {},
  ) {
    if (token.length < SHORTEST_TOKEN) {
      throw new RangeError(`The token has ${token.length} characters: give ${SHORTEST_TOKEN} random ones or more.`);
    }
    this.#digest = digestOf(token);
    this.#role = role;
    this.hostNames = new Set([...LOOPBACK_NAMES, ...hostNames.map((name) => name.toLowerCase())]);
    this.acceptsNumericHosts = anyNumeric;
    this.login = { enter: (...given) => this.#enter(...given), leave: (...given) => this.#leave(...given) };
  }

  async check(request: IncomingMessage): Promise<Operator> {
    const id = this.#idIn(request);
    if (id === undefined) throw new RequestRefusedError(401, 'Log in with the token.', { remedy: 'login' });
    return this.#operator(id);
  }

  #enter(request: IncomingMessage, response: ServerResponse, body: unknown): Operator {
    const address = request.socket.remoteAddress ?? '';
    const waitSeconds = this.#tries.waitSeconds(address);
    if (waitSeconds > 0) {
      throw new RequestRefusedError(429, `Too many wrong tokens: try again in ${waitSeconds} seconds.`, {
        retryAfterSeconds: waitSeconds,
      });
    }
    const { token } = (body ?? {}) as { token?: unknown };
    // Digests have the same length, whatever was typed.
    if (typeof token !== 'string' || !timingSafeEqual(digestOf(token), this.#digest)) {
      this.#tries.count(address);
      throw new RequestRefusedError(401, 'That is not the token.');
    }
    const id = randomBytes(16).toString('base64url');
    const value = `${id}.${Date.now() + LIFE_MS}`;
    this.#setCookie(request, response, `${value}.${this.#signatureOf(value)}`, LIFE_MS / 1_000);
    return this.#operator(id);
  }

  #leave(request: IncomingMessage, response: ServerResponse): void {
    const id = this.#idIn(request);
    if (id !== undefined) {
      for (const [left, end] of this.#left)
        if (end < Date.now() || this.#left.size >= MOST_LEFT) this.#left.delete(left);
      this.#left.set(id, Date.now() + LIFE_MS);
    }
    this.#setCookie(request, response, '', 0);
  }

  #idIn({ headers }: IncomingMessage): string | undefined {
    for (const part of (headers.cookie ?? '').split(';')) {
      const [name, value = ''] = part.trim().split('=', 2);
      if (name !== COOKIE) continue;
      const [, signed, id, end, signature] = /^(([\w-]{22})\.(\d{13}))\.([\w-]{43})$/.exec(value) ?? [];
      if (signed === undefined || Number(end) <= Date.now() || this.#left.has(id!)) continue;
      if (timingSafeEqual(Buffer.from(this.#signatureOf(signed)), Buffer.from(signature!))) return id;
    }
    return undefined;
  }

  #signatureOf(value: string): string {
    return createHmac('sha256', this.#key).update(value).digest('base64url');
  }

  #setCookie({ headers }: IncomingMessage, response: ServerResponse, value: string, seconds: number): void {
    // Behind a proxy that speaks https. Whoever forges the header only loses the own login.
    const secure = headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
    response.setHeader(
      'set-cookie',
      `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`,
    );
  }

  #operator(id: string): Operator {
    return { name: `token ${id.slice(0, 6)}`, role: this.#role, id };
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
