import { HandleAttacher } from '../http/attach-handle.ts';
import { BrowserRequests } from '../http/browser-requests.ts';
import type { HandleOptions } from '../http/handle-options.ts';
import { ScriptAnswers } from './script-answers.ts';
import type { WebSessionStore } from './web-session-store.ts';

/** What attaches handles to requests, and answers the requests of the script for pages. */
export interface WebKnowledge<Request extends object> {
  readonly attacher: HandleAttacher<Request>;
  /** Undefined where the site has no script for pages. */
  readonly script: ScriptAnswers<Request> | undefined;
  /** The store of the site's sessions; undefined where it has none of ours. */
  readonly store: WebSessionStore<Request> | undefined;
}

/** Makes what attaches handles. `owner`: the function that takes the options, for messages. `store`: the store of the site's
 *  sessions, by default also the one that knows bearer tokens.
 *  @throws RangeError for an option that is unknown or of the wrong type. */
export function webKnowledge<Request extends object>(
  owner: string,
  options: HandleOptions<Request>,
  store: WebSessionStore<Request> | undefined,
): WebKnowledge<Request> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const attacher = new HandleAttacher<Request>(owner, { ...(store && { store }), ...given });
  const script = options.script && new ScriptAnswers(new BrowserRequests(attacher, options.script));
  return { attacher, script, store };
}
