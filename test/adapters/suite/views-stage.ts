import { afterAll, beforeAll, expect } from 'vitest';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, PageContext, Pages, Site, SiteOptions, Visitor } from './adapter-site.ts';

/** Fails with the status 500. */
export function fail(): never {
  throw Object.assign(new Error('of the page'), { status: 500, statusCode: 500 });
}

/** A page that asks, as most do, and then does `work`. */
export function asking(work: (context: PageContext) => unknown): Page {
  return async (context) => {
    await context.handle?.unseen(['/a', '/b']);
    return work(context);
  };
}

/** A client and a service for an adapter's sites. What was sent is counted by the client, which counts a view in the turn
 *  in which its answer has ended. */
export class ViewsStage {
  readonly #stage: AdapterStage;
  readonly #pages: Pages;
  #service: Service | undefined;
  #client: SessionClient | undefined;

  /** Registers its hooks. `pages`: of the sites, unless they have their own. */
  constructor(stage: AdapterStage, pages: Pages) {
    this.#stage = stage;
    this.#pages = pages;
    beforeAll(async () => {
      this.#service = await startService({ redis: stage.server.url, secret: 'a secret of the tests, long enough' });
      this.#client = new SessionClient({ redis: stage.server.url, deadlineMs: 20_000 });
      expect(await this.#client.ready()).toBe(true);
    });
    afterAll(async () => {
      await this.#client?.close();
      await this.#service?.stop();
    });
  }

  get client(): SessionClient {
    return this.#client!;
  }

  open(handle: SiteOptions['handle'] = {}, pages: Pages = this.#pages): Promise<Site> {
    return this.#stage.open({ pages, client: this.client, handle });
  }

  /** Returns a visitor with a session in which something is, and which has no view. */
  async begun(site: Site): Promise<Visitor> {
    const token = createToken();
    await site.store.data.save(token, { cart: ['lamp'] });
    return this.#stage.visitor(site, this.#stage.adapter.cookies.sign(token));
  }

  /** Returns the views that the service has counted for the session of a token. */
  async totalOf(token: string): Promise<number> {
    return (await this.client.session(sessionOf(token)).figures())!.totalPages;
  }

  /** Returns how many views were sent for `work`. */
  async sentBy(work: () => Promise<unknown>): Promise<number> {
    const before = this.client.counters.publishes;
    await work();
    return this.client.counters.publishes - before;
  }
}
