import { PAGE_SCRIPT } from '../../browser/index.ts';
import { checkOptions } from '../../protocol/internal/index.ts';
import { ServedScript } from './served-script.ts';

/** Options of `browserScript`. */
export interface BrowserScriptOptions {
  /** Path under which the site serves the script and takes its messages: begins and ends with a slash. Default
   *  `/sessionwise/`. */
  readonly path?: string;
}

/** The script for pages, which counts: what stands in their HTML. The site takes its messages under `path` too. */
export class BrowserScript extends ServedScript {
  /** @throws RangeError for an option that is unknown or cannot be used. */
  constructor(options: BrowserScriptOptions = {}) {
    checkOptions('browserScript', options, { path: 'string' });
    super('browserScript', PAGE_SCRIPT, options.path ?? '/sessionwise/', 'async');
  }
}

/** Makes the script for pages: for the option `script` of the middleware, and its `tag` for the pages.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function browserScript(options: BrowserScriptOptions = {}): BrowserScript {
  return new BrowserScript(options);
}
