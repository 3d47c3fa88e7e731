import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Role } from '../role.ts';

/** Somebody who got in. */
export interface Operator {
  /** For the log. */
  readonly name: string;
  readonly role: Role;
  /** What tokens against cross-site requests are bound to. */
  readonly id: string;
}

/** Decides who gets in. */
export interface Access {
  /** Whom a request is of.
   *  @throws RequestRefusedError where it is nobody's that gets in. */
  check(request: IncomingMessage): Promise<Operator>;
  /** Whether Host must be a name of this machine: where the address alone lets in, another site's name could be made to
   *  point here (DNS rebinding). Undefined: the application looks after that. */
  readonly hostNames?: ReadonlySet<string> | undefined;
  /** Whether any numeric address will do as Host, because the server listens on all. */
  readonly acceptsNumericHosts?: boolean;
  /** Whether what decides was read when the request came, as a session is: asked again about the same request it would say
   *  the same for ever, so the page of an open stream has to send another one. Default false. */
  readonly needsFreshRequest?: boolean;
  /** Logs in and out, where there is a token. */
  readonly login?: Login;
}

/** Takes a token in exchange for a cookie. */
export interface Login {
  /** Sets the cookie.
   *  @throws RequestRefusedError for a wrong token, and for too many tries. */
  enter(request: IncomingMessage, response: ServerResponse, body: unknown): Operator;
  leave(request: IncomingMessage, response: ServerResponse): void;
}
