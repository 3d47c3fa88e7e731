import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { createToken, SessionClient } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, PageContext, Pages, Site, SiteOptions, Visitor } from './adapter-site.ts';

/** Fails with the status 500. */
export function fail(): never {
  throw Object.assign(new Error('of the page'), { status: 500, statusCode: 500 });
}

/** A page that asks, as most do, and then does `work`. */
export function asking(work: (context: PageContext, ...params: string[]) => unknown): Page {
  return async (context, ...params) => {
    await context.handle?.request('surface', ['/a', '/b']);
    return work(context, ...params);
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

  /** Returns a visitor who has both cookies, a session in which something is, and no view. */
  async begun(site: Site): Promise<Visitor> {
    const token = createToken();
    await site.store.data.save(token, { cart: ['lamp'] });
    const visitor = this.#stage.visitor(site, this.#stage.adapter.cookies.sign(token));
    visitor.visitorCookie = `sessionwise=${randomBytes(24).toString('base64url')}.${Math.floor(Date.now() / 86_400_000)}`;
    return visitor;
  }

  /** Returns the views that the service has counted for a visitor, or for an id. */
  async totalOf(of: Visitor | string): Promise<number> {
    const id = typeof of === 'string' ? of : of.visitorId;
    return (await this.client.session(id).request('session-analytics', ''))!.totalPages;
  }

  /** Returns how many views were sent for `work`. */
  async sentBy(work: () => Promise<unknown>): Promise<number> {
    const before = this.client.counters.publishes;
    await work();
    return this.client.counters.publishes - before;
  }
}
