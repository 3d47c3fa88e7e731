import type { IncomingMessage } from 'node:http';
import { withDeadline } from '../../async/index.ts';
import type { Log } from '../../service/index.ts';
import type { Allowed } from '../dashboard-options.ts';
import { RequestRefusedError } from '../request-refused-error.ts';
import { ROLES } from '../role.ts';
import type { Access, Operator } from './access.ts';

const DEADLINE_MS = 10_000;
const LONGEST_NAME = 100;

/** Lets in whom the application says. */
export class ApplicationAccess implements Access {
  readonly needsFreshRequest = true;
  readonly #allow: (request: IncomingMessage) => Allowed | Promise<Allowed>;
  readonly #log: Log;

  constructor(allow: (request: IncomingMessage) => Allowed | Promise<Allowed>, log: Log) {
    this.#allow = allow;
    this.#log = log;
  }

  async check(request: IncomingMessage): Promise<Operator> {
    let allowed: unknown;
    try {
      allowed = await withDeadline(
        (async () => this.#allow(request))(),
        DEADLINE_MS,
        () => {
          throw new Error(`allow did not settle within ${DEADLINE_MS} ms.`);
        },
        { keepsAlive: false },
      );
    } catch (error) {
      const { message } = error instanceof Error ? error : { message: String(error) };
      this.#log.error({ reason: message }, 'The check of the application failed: the dashboard refuses the request.');
    }
    const operator = operatorOf(allowed);
    if (!operator) throw new RequestRefusedError(403, 'You may not see the dashboard.');
    return operator;
  }
}

// Anything but these forms lets nobody in: a check that returns a user or a text has been written for something else.
function operatorOf(allowed: unknown): Operator | undefined {
  if (allowed === true) return { name: 'application', role: 'operator', id: 'application' };
  if (typeof allowed !== 'object' || allowed === null) return undefined;
  const { role, name } = allowed as { role?: unknown; name?: unknown };
  const known = ROLES.find((each) => each === role);
  if (known === undefined || typeof name !== 'string' || name === '') return undefined;
  return { name: name.slice(0, LONGEST_NAME), role: known, id: JSON.stringify([known, name]) };
}
