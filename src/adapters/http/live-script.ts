import { LIVE_SCRIPT } from '../../browser/index.ts';
import { checkOptions } from '../../protocol/internal/index.ts';
import { ServedScript } from './served-script.ts';

/** Options of `liveScript`. */
export interface LiveScriptOptions {
  /** Path where `sw.live` is mounted: begins and ends with a slash. Default `/live/`. */
  readonly path?: string;
}

/** The script for pages that listen (`sessionwise.on`): what stands in their HTML. */
export class LiveScript extends ServedScript {
  /** @throws RangeError for an option that is unknown or cannot be used. */
  constructor(options: LiveScriptOptions = {}) {
    checkOptions('liveScript', options, { path: 'string' });
    super('liveScript', LIVE_SCRIPT, options.path ?? '/live/', 'defer');
  }
}

/** Makes the script for pages that listen: its `tag` stands before the scripts that call `sessionwise.on`. `sw.live` serves
 *  it.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function liveScript(options: LiveScriptOptions = {}): LiveScript {
  return new LiveScript(options);
}
