import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createToken } from '../../../src/adapters/index.ts';
import type { AdapterUnderTest, PageContext, Site, SiteOptions } from '../suite/adapter-site.ts';
import { sessionContext, WEB_TRAITS } from '../web/web-stage.ts';
import { type HttpRequest, HttpSessions } from './http-sessions.ts';

/** Plain node:http, with the adapter of docs/adapters.md. */
export const NODE_HTTP: AdapterUnderTest<object> = {
  ...WEB_TRAITS,
  settings: [['as it is', {}]],
  name: 'node:http',
  open: openSite,
};

class TestSessions extends HttpSessions {
  override readonly genid: () => string;

  constructor(options: ConstructorParameters<typeof HttpSessions>[0], genid?: () => string) {
    super(options);
    this.genid = genid ?? (() => createToken());
  }
}

async function openSite({ store: options, pages, client, handle, genid }: SiteOptions): Promise<Site> {
  const all = {
    sweep: false,
    deadlineMs: 20_000,
    ...options,
    handle: { ...(client && { client }), ...handle },
  };
  const store = new TestSessions(all, genid);
  const errors: string[] = [];
  const server = createServer(async (request: HttpRequest, response) => {
    try {
      if (await store.begin(request, response)) return;
      const [name = '', ...params] = request.url!.split('?')[0]!.slice(1).split('/');
      const result = await pages[name]!(contextOf(store, request, response), ...params);
      if (response.headersSent) return void response.end('last');
      await store.save(request);
      response.end(JSON.stringify(result ?? null));
    } catch (thrown) {
      const error = thrown as Error & { status?: number; code?: string };
      errors.push(error.code ?? error.message);
      await store.save(request).catch(() => undefined);
      if (response.headersSent) return void response.destroy();
      response.writeHead(error.status ?? 500).end(JSON.stringify({ code: error.code, message: error.message }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store: store as never,
    errors,
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

function contextOf(store: HttpSessions, request: HttpRequest, response: ServerResponse): PageContext {
  return {
    ...sessionContext(() => request.session!),
    get session() {
      return request.session!;
    },
    get handle() {
      return request.sessionwise;
    },
    ownToken: store.tokenOf(request),
    query: new URL(request.url!, 'http://site').searchParams,
    sendHead: () => void response.write('at '),
    status(code) {
      response.statusCode = code;
    },
    async answer() {
      await store.save(request);
      response.end('at once');
    },
    raw: response,
  };
}
