import { createHash } from 'node:crypto';
import { PAGE_SCRIPT } from '../../browser/index.ts';
import { checkOptions } from '../../protocol/internal/index.ts';

export interface BrowserScriptOptions {
  /** Path under which the site serves the script and takes its messages: begins and ends with a slash. Default
   *  `/sessionwise/`. */
  readonly path?: string;
}

const PATH = /^\/(?:[\w.~-]+\/)+$/;
const HASH_LENGTH = 16;

/** The script for pages: what stands in their HTML. */
export class BrowserScript {
  /** Path under which the site serves the script and takes its messages. */
  readonly path: string;
  /** Path of the script, with a hash of its content in its name: it never changes under that name. */
  readonly src: string;
  /** Value for the attribute `integrity`. */
  readonly integrity: string;
  /** The whole tag, for the head of a page. */
  readonly tag: string;

  /** @throws RangeError for an option that is unknown or cannot be used. */
  constructor(options: BrowserScriptOptions = {}) {
    checkOptions('browserScript', options, { path: 'string' });
    const { path = '/sessionwise/' } = options;
    if (!PATH.test(path) || /\/\.{1,2}\//.test(path)) {
      throw new RangeError(
        `browserScript: path ${JSON.stringify(path)} cannot be used: give one like "/sessionwise/", of letters, digits and . _ ~ -.`,
      );
    }
    this.path = path;
    this.src = `${path}${hashOf('sha256', 'hex').slice(0, HASH_LENGTH)}.js`;
    this.integrity = `sha384-${hashOf('sha384', 'base64')}`;
    this.tag = `<script src="${this.src}" integrity="${this.integrity}" async></script>`;
  }
}

/** Makes the script for pages: for the option `script` of the middleware, and its `tag` for the pages.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function browserScript(options: BrowserScriptOptions = {}): BrowserScript {
  return new BrowserScript(options);
}

function hashOf(algorithm: string, encoding: 'hex' | 'base64'): string {
  return createHash(algorithm).update(PAGE_SCRIPT).digest(encoding);
}
