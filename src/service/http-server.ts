import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpAddressError } from './http-address-error.ts';
import type { Metrics } from './metrics.ts';

/** Where the service answers probes. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

/** `/healthz` (the process lives), `/readyz` (it would serve a request now; 503 says why not) and `/metrics`. */
export class HttpServer {
  readonly #server: Server;

  constructor(metrics: Metrics, notReady: () => string | undefined) {
    this.#server = createServer((request, response) => {
      const send = (status: number, type: string, body: string): void => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
      };
      const path = request.url?.split('?', 1)[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') send(405, 'text/plain', 'Only GET.\n');
      else if (path === '/healthz') send(200, 'text/plain', 'ok\n');
      else if (path === '/readyz') {
        const why = notReady();
        send(why === undefined ? 200 : 503, 'text/plain', `${why ?? 'ready'}\n`);
      } else if (path === '/metrics') {
        metrics.registry.text().then(
          (text) => send(200, metrics.registry.contentType, text),
          () => send(500, 'text/plain', 'The metrics could not be collected.\n'),
        );
      } else send(404, 'text/plain', 'There are /healthz, /readyz and /metrics.\n');
    });
    this.#server.requestTimeout = 5_000;
  }

  /** Listens; returns the address, with the port that was given for 0.
   *  @throws HttpAddressError */
  async listen({ host, port }: HttpAddress): Promise<HttpAddress> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new HttpAddressError(
            `Cannot listen on ${host}:${port} (${error.code}): is the port taken? Give another --http.`,
            { cause: error },
          ),
        ),
      );
      this.#server.listen(port, host, resolve);
    });
    return { host, port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}
