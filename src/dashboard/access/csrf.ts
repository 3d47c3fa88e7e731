import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Operator } from './access.ts';

/** The header that carries the token against cross-site requests. */
export const CSRF_HEADER = 'x-sessionwise-csrf';

/** Makes and checks tokens against cross-site requests. One is bound to who got in, and opens nothing by itself. */
export class Csrf {
  readonly #key: string | Buffer;

  /** `key`: shared by the processes of a site; default: this process's own. */
  constructor(key?: string) {
    this.#key = key ?? randomBytes(32);
  }

  tokenOf({ id }: Operator): string {
    return createHmac('sha256', this.#key).update(`sessionwise dashboard csrf ${id}`).digest('base64url');
  }

  holds(operator: Operator, given: unknown): boolean {
    const expected = Buffer.from(this.tokenOf(operator));
    const found = Buffer.from(typeof given === 'string' ? given : '');
    return found.length === expected.length && timingSafeEqual(found, expected);
  }
}
