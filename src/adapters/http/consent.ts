import { refuseAnswer } from './site-answers.ts';

/** What a visitor has agreed to: `all`; `session`: what is known of them ends with the browser's session and is never
 *  merged into a person; `none`: nothing is known, and no cookie is set. */
export type Consent = 'all' | 'session' | 'none';

const CONSENTS: readonly unknown[] = ['all', 'session', 'none'];

/** Returns what the visitor of a request has agreed to. Without a function of the site the browser's signals count:
 *  `Sec-GPC: 1` and `DNT: 1` are `none`. `owner`: the middleware's name in messages.
 *  @throws errors of the function; RangeError where it returns something else. */
export function consentOf<Request>(
  owner: string,
  request: Request,
  header: (name: string) => string | undefined,
  consent: ((request: Request) => Consent) | undefined,
): Consent {
  if (!consent) return header('sec-gpc') === '1' || header('dnt') === '1' ? 'none' : 'all';
  const given = consent(request);
  if (CONSENTS.includes(given)) return given;
  return refuseAnswer(owner, 'consent', given, '"all", "session" or "none"');
}
