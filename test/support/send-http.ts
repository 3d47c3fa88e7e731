import { request } from 'node:http';

/** An answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What is sent; unlike `fetch` it takes any path and Host as they are. */
export interface HttpQuestion {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether the answer is left after its head, as that of a stream. */
  readonly headOnly?: boolean;
}

/** Sends a request with exactly this path. `site`: its scheme, host and port. */
export function sendHttp(site: string, path: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, headOnly } = question;
  const { hostname, port } = new URL(site);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      const done = (): void =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() });
      response.on('error', reject);
      if (headOnly) {
        done();
        response.destroy();
        return;
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', done);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
