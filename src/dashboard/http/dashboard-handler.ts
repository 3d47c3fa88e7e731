import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access, Operator } from '../access/access.ts';
import { checkOrigin } from '../access/check-origin.ts';
import { CSRF_HEADER, Csrf } from '../access/csrf.ts';
import type { DashboardSettings } from '../dashboard-options.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { RequestRefusedError } from '../request-refused-error.ts';
import { includesRole } from '../role.ts';
import { sentenceOf } from '../sentence-of.ts';
import type { DashboardView } from '../view.ts';
import { EventStreams } from './event-streams.ts';
import { readPageFiles } from './page-files.ts';
import { loginShell, pageShell, refusalShell } from './page-shell.ts';
import { readBody } from './read-body.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { SharedReads } from './shared-reads.ts';
import { type Target, targetOf } from './target-of.ts';

/** What a handler is made of. */
export interface HandlerParts extends DashboardSettings {
  readonly views: readonly DashboardView[];
  readonly access: Access;
  readonly namespace: () => string;
  readonly open: () => Promise<DashboardStore>;
  readonly log: NonNullable<DashboardSettings['log']>;
  readonly base?: string;
  readonly key?: string;
  /** How often open streams are checked, in milliseconds. Default 15,000. */
  readonly heartbeatMs?: number;
}

/** Answers the requests to a dashboard. */
export class DashboardHandler {
  readonly #parts: HandlerParts;
  readonly #views: ReadonlyMap<string, DashboardView>;
  readonly #files = readPageFiles();
  readonly #reads: SharedReads;
  readonly #streams: EventStreams;
  readonly #csrf: Csrf;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    this.#views = new Map(parts.views.map((view) => [view.name, view]));
    this.#reads = new SharedReads(parts.open);
    this.#streams = new EventStreams(this.#reads, parts.maxStreams, parts.heartbeatMs);
    this.#csrf = new Csrf(parts.key);
  }

  /** Answers. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    // A middleware before us has answered, and gone on all the same.
    if (response.headersSent) return;
    setSecurityHeaders(response);
    let operator: Operator | undefined;
    try {
      const target = targetOf(request, this.#parts.base ?? '');
      checkOrigin(request, this.#parts.access);
      if (this.#answerPublic(request, response, target)) return;
      operator = await this.#parts.access.check(request);
      if (request.method === 'GET' || request.method === 'HEAD') await this.#read(request, response, target, operator);
      else if (request.method === 'POST') await this.#act(request, response, target, operator);
      else throw new RequestRefusedError(405, 'Only GET, HEAD and POST are answered.');
    } catch (error) {
      this.#refuse(request, response, error, operator);
    }
  }

  close(): void {
    this.#streams.close();
  }

  // What there is without a login: the form, and what it is made of.
  #answerPublic(request: IncomingMessage, response: ServerResponse, { path }: Target): boolean {
    const { login } = this.#parts.access;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const file = this.#files.get(path.slice(1));
    if (isRead && login && file?.isPublic) {
      send(request, response, 200, file.type, file.body);
      return true;
    }
    if (!login || request.method !== 'POST' || path !== '/login') return false;
    void this.#logIn(request, response);
    return true;
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const operator = this.#parts.access.login!.enter(request, response, await readBody(request));
      this.#parts.log.info({ who: operator.name, from: addressOf(request) }, 'Dashboard: logged in.');
      sendJson(request, response, 200, { done: null });
    } catch (error) {
      this.#refuse(request, response, error, undefined);
    }
  }

  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query, withSlash }: Target,
    operator: Operator,
  ): Promise<void> {
    if (path === '/') {
      response.writeHead(302, { location: withSlash ?? this.#parts.views[0]!.name }).end();
      return;
    }
    const file = this.#files.get(path.slice(1));
    if (file) return send(request, response, 200, file.type, file.body);
    if (path === '/session') {
      const { name, role } = operator;
      return sendJson(request, response, 200, { name, role, csrf: this.#csrf.tokenOf(operator) });
    }
    const [, name = '', part, ...more] = path.split('/');
    const view = this.#views.get(name);
    if (!view || more.length > 0) throw new RequestRefusedError(404, 'There is no such page.');
    if (part === undefined)
      return send(request, response, 200, 'text/html; charset=utf-8', this.#shell(view, operator));
    if (part === 'data') return this.#sendData(request, response, view, query);
    if (part !== 'events') throw new RequestRefusedError(404, 'There is no such page.');
    if (request.method === 'HEAD') throw new RequestRefusedError(405, 'Streams are answered to GET.');
    const isStillAllowed = this.#parts.access.needsFreshRequest ? undefined : () => this.#isStill(request, operator);
    this.#streams.open(view, query, request, response, isStillAllowed);
  }

  async #sendData(
    request: IncomingMessage,
    response: ServerResponse,
    view: DashboardView,
    query: URLSearchParams,
  ): Promise<void> {
    const told = await this.#reads.once(view, query);
    if ('trouble' in told) throw new RequestRefusedError(503, told.trouble);
    send(request, response, 200, 'application/json; charset=utf-8', told.json);
  }

  async #act(request: IncomingMessage, response: ServerResponse, { path }: Target, operator: Operator): Promise<void> {
    const { access, log, readOnly, open } = this.#parts;
    const body = await readBody(request);
    if (!this.#csrf.holds(operator, request.headers[CSRF_HEADER])) {
      throw new RequestRefusedError(
        403,
        'The token against cross-site requests is missing or old: load the page anew.',
        {
          remedy: 'csrf',
        },
      );
    }
    if (path === '/leave' && access.login) {
      access.login.leave(request, response);
      log.info({ who: operator.name }, 'Dashboard: logged out.');
      return sendJson(request, response, 200, { done: null });
    }
    const [, name = '', verb = '', ...more] = path.split('/');
    const view = this.#views.get(name);
    const action = view?.actions && Object.hasOwn(view.actions, verb) ? view.actions[verb] : undefined;
    if (!view || !action || more.length > 0) throw new RequestRefusedError(404, 'There is no such action.');
    if (readOnly && !action.onlyLooks) throw new RequestRefusedError(403, 'This dashboard is read-only.');
    if (!includesRole(operator.role, action.role)) {
      throw new RequestRefusedError(403, `This needs the role ${action.role}; yours is ${operator.role}.`);
    }
    const input = parsed(() => action.parse(body));
    const what = { who: operator.name, role: operator.role, view: name, action: verb, ...action.describe?.(input) };
    try {
      const done = await action.run(await open(), input, operator.name);
      log.info(what, 'Dashboard: done.');
      sendJson(request, response, 200, { done: done ?? null });
    } catch (error) {
      log.warn({ ...what, reason: sentenceOf(error) }, 'Dashboard: failed.');
      if (error instanceof RequestRefusedError) throw error;
      sendJson(request, response, 409, { error: { message: sentenceOf(error) } });
    } finally {
      this.#reads.readNow(view);
    }
  }

  async #isStill(request: IncomingMessage, { id }: Operator): Promise<boolean> {
    return (await this.#parts.access.check(request)).id === id;
  }

  #shell(view: DashboardView, operator: Operator): string {
    return pageShell({
      view,
      views: this.#parts.views,
      namespace: this.#parts.namespace(),
      operator,
      isReadOnly: this.#parts.readOnly === true,
      csrf: this.#csrf.tokenOf(operator),
      canLeave: this.#parts.access.login !== undefined,
    });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown, operator: Operator | undefined): void {
    const { log } = this.#parts;
    const { method } = request;
    const refusal =
      error instanceof RequestRefusedError ? error : new RequestRefusedError(500, 'It failed; the log says why.');
    const { status, message, remedy, retryAfterSeconds, quotesInput } = refusal;
    // Without the query, in which a careless program may have put a token.
    const path = (request.url ?? '').split('?', 1)[0]!.slice(0, 200);
    const what = { who: operator?.name ?? 'nobody', from: addressOf(request), method, path, status };
    if (refusal !== error) log.error({ ...what, reason: sentenceOf(error) }, 'Dashboard: an answer failed.');
    else if (status !== 404 && !(status === 401 && method !== 'POST')) {
      const reason = quotesInput ? 'The input cannot be used; the page says why.' : message;
      log.warn({ ...what, reason }, 'Dashboard: refused.');
    }
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // The rest of a body that is not wanted is not read.
    if (!request.readableEnded && method !== 'GET' && method !== 'HEAD') response.setHeader('connection', 'close');
    if (status === 405) response.setHeader('allow', 'GET, HEAD, POST');
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
    const isPage = method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    if (isPage) {
      const shell = remedy === 'login' ? loginShell() : refusalShell(message);
      send(request, response, status, 'text/html; charset=utf-8', shell);
    } else sendJson(request, response, status, { error: { message, ...(remedy && { remedy }) } });
  }
}

/** Of a request that broke off there is none any more. */
function addressOf({ socket }: IncomingMessage): string | undefined {
  return (socket as IncomingMessage['socket'] | null)?.remoteAddress;
}

function parsed(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    throw new RequestRefusedError(400, sentenceOf(error), { quotesInput: true });
  }
}

function sendJson(request: IncomingMessage, response: ServerResponse, status: number, value: object): void {
  send(request, response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(method === 'HEAD' ? undefined : body);
}
