import { normalizeItem } from '../../protocol/index.ts';
import { isOrigin } from './other-origin.ts';

/* beacon.ts: a message of the script for pages, `{"view":"/p","once":"k3x9"}` or `{"active":"/p"}`. It comes from a browser,
 * so it can say anything: it is short, it comes from a page of the site's own origin, and its page is a path that is reduced
 * as that of a request. `docs/browser.md` says what a page or a visitor of bad will can do with it. */

/** The longest message, in bytes: a page's path of 2,048, each of which JSON may write longer. */
export const MAX_BEACON_BYTES = 4_096;

/** A message of the script. */
export interface Beacon {
  /** What it is about: a page was shown, or is still looked at. */
  readonly command: 'pageview' | 'active';
  /** The page's path. */
  readonly page: string;
  /** Name of a view, under which it counts once. */
  readonly once?: string | undefined;
  /** Whether the browser found no mark of the server, and so cannot know if it has counted this page. */
  readonly isUnsure: boolean;
}

const ONCE = /^[0-9a-z]{1,32}$/;

/** Reads a message; undefined for anything else. */
export function parseBeacon(text: string): Beacon | undefined {
  if (Buffer.byteLength(text) > MAX_BEACON_BYTES) return undefined;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { view, active, once, unsure } = message as Record<string, unknown>;
  const page = pathOf(view ?? active);
  if (page === undefined) return undefined;
  if (view === undefined) return { command: 'active', page, isUnsure: false };
  if (typeof once !== 'string' || !ONCE.test(once)) return undefined;
  return { command: 'pageview', page, once, isUnsure: unsure === true };
}

/** Whether a request comes from a page of the site's own origin, as the browser says. A page of another site can send a
 *  message like ours, and the browser would add the visitor's cookie where that is not SameSite. */
export function isSameOrigin(header: (name: string) => string | undefined): boolean {
  const site = header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  // Browsers without that header, and sites over http.
  const origin = header('origin');
  return origin !== undefined && isOrigin(origin, header);
}

function pathOf(page: unknown): string | undefined {
  if (typeof page !== 'string' || !page.startsWith('/')) return undefined;
  try {
    return normalizeItem(page);
  } catch {
    return undefined;
  }
}
