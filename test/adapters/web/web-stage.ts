import { type SessionCookieOptions, type WebSession, WebSessionStore } from '../../../src/adapters/index.ts';
import type { AdapterUnderTest, PageContext, SiteOptions } from '../suite/adapter-site.ts';

/* web-stage.ts: what the adapters have in common under test whose frameworks have no sessions of their own. */

/** Settings of `sw.session`. */
export interface WebSettings {
  readonly cookie?: SessionCookieOptions;
  readonly rolling?: boolean;
}

/** How these adapters differ from others by nature. */
export const WEB_TRAITS = {
  settings: [
    ['as it is', {}],
    ['rolling', { rolling: true, cookie: { maxAge: 3_600_000 } }],
  ],
  anonymous: [['as it is', {}]],
  cookies: {
    name: 'sid',
    tokenIn: (cookie: string) => decodeURIComponent(cookie.slice('sid='.length)),
    sign: (token: string) => `sid=${encodeURIComponent(token)}`,
  },
  setsAgain: ({ rolling }: WebSettings) => (rolling ? 'always' : 'never'),
  savesBeforeAnswer: true,
  servesScript: true,
} as const satisfies Omit<AdapterUnderTest<WebSettings>, 'name' | 'open'>;

/** Opens a store whose function for ids is that of the test, where it gives one. */
export function openStore<Request extends object>({ store, genid }: SiteOptions): WebSessionStore<Request> {
  const options = { sweep: false, deadlineMs: 20_000, ...store };
  if (!genid) return new WebSessionStore<Request>(options);
  const ids = genid;
  return new (class extends WebSessionStore<Request> {
    override readonly genid = ids;
  })(options);
}

/** The parts of a page's context that come of its session. */
export function sessionContext(
  session: () => WebSession,
): Pick<PageContext, 'save' | 'regenerate' | 'destroy' | 'reload'> {
  return {
    save: () => session().save(),
    regenerate: () => session().regenerate(),
    destroy: () => session().destroy(),
    reload: async () => undefined,
  };
}
