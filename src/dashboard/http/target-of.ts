import type { IncomingMessage } from 'node:http';
import { RequestRefusedError } from '../request-refused-error.ts';

/** What a request asks for, below the path where the dashboard is mounted. */
export interface Target {
  /** As it came, undecoded: a name with an escape in it names nothing. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Where the mount's own address was asked for without the slash behind it: the relative address with it. */
  readonly withSlash: string | undefined;
}

/** The most characters that a query may have. */
export const MAX_QUERY_CHARACTERS = 2048;

/** Reads the target of a request. `base`: the path that is still in `request.url`.
 *  @throws RequestRefusedError */
export function targetOf(request: IncomingMessage & { readonly originalUrl?: string }, base: string): Target {
  const { url = '/' } = request;
  const split = url.indexOf('?');
  const whole = split < 0 ? url : url.slice(0, split);
  const search = split < 0 ? '' : url.slice(split + 1);
  if (search.length > MAX_QUERY_CHARACTERS) {
    throw new RequestRefusedError(414, `The query is too long: at most ${MAX_QUERY_CHARACTERS} characters are taken.`);
  }
  if (base !== '' && whole !== base && !whole.startsWith(`${base}/`)) {
    throw new RequestRefusedError(404, 'There is no such page.');
  }
  const path = whole.slice(base.length) || '/';
  const [asked = ''] = (request.originalUrl ?? url).split('?', 1);
  const isWithoutSlash = path === '/' && !asked.endsWith('/');
  return {
    path,
    query: new URLSearchParams(search),
    withSlash: isWithoutSlash ? `./${asked.slice(asked.lastIndexOf('/') + 1)}/` : undefined,
  };
}
