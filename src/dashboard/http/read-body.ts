import type { IncomingMessage } from 'node:http';
import { withDeadline } from '../../async/index.ts';
import { RequestRefusedError } from '../request-refused-error.ts';

/** The most bytes that a body may have. */
export const MAX_BODY_BYTES: number = 64 * 1024;
const DEADLINE_MS = 10_000;

/** Reads the body as JSON. One that a middleware has read before is taken from `request.body`.
 *  @throws RequestRefusedError */
export async function readBody(request: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
  // Only scripts of our own origin can send this type; a form of another site cannot.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new RequestRefusedError(415, 'Send JSON, with content-type application/json.');
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  if (request.readableEnded && request.body !== undefined) return request.body;
  const text = await withDeadline(
    collect(request),
    DEADLINE_MS,
    () => {
      throw new RequestRefusedError(408, 'The body did not come in time.');
    },
    { keepsAlive: false },
  );
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestRefusedError(400, 'The body is no JSON.');
  }
}

// No loop over the stream: leaving one early destroys the socket, and with it the answer.
function collect(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take).pause();
      reject(tooLarge());
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('close', () => reject(new RequestRefusedError(400, 'The body broke off.')));
  });
}

function tooLarge(): RequestRefusedError {
  return new RequestRefusedError(413, `The body is too large: at most ${MAX_BODY_BYTES} bytes are taken.`);
}
