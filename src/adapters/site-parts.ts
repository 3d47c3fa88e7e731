import { type NoticePublisher, type PageOptions, SessionClient, type SessionHandle } from '../client/index.ts';
import { personOf } from '../protocol/index.ts';
import { checkOptions } from '../protocol/internal/index.ts';
import type { ConnectionOptions } from '../redis/index.ts';
import type { Rules } from '../rules/index.ts';
import type {
  ErasedSubject,
  ExportedSubject,
  ExportOptions,
  ForgetOptions,
  Namespace,
  ServiceOptions,
  Subject,
} from '../service/index.ts';
import { SessionData } from '../sessions/index.ts';
import { InlineService } from './inline-service.ts';
import { LiveStreams } from './live-streams.ts';
import { loadService } from './load-service.ts';
import type { SessionStoreOptions } from './session-store-options.ts';
import { BESIDE_SESSION, checkSessionwiseOptions, type SessionwiseOptions } from './sessionwise-options.ts';

/* site-parts.ts: what a site needs of Sessionwise, made of one set of options and closed together. `createSessionwise` of
 * each framework adds what mounts it there. */

/** A store, as far as it is looked after here. */
interface ClosableStore {
  close(): Promise<void>;
}

/** Parts that are the same in all frameworks. */
export interface SharedParts {
  /** Asks the service. */
  readonly client: SessionClient;
  /** Writes notices: `publish`, `edit`, `withdraw`, `list`, `stats`, `setGroup`. */
  readonly notices: NoticePublisher;
  /** The handle of a person, for code that is no request: jobs, mails, webhooks.
   *  @throws RangeError for what is no user id, and for an option that cannot be used. */
  person(userId: string, options?: PageOptions): SessionHandle;
  /** Replaces all rules of the service in this process: clusters, suggestions and segments; what is left out is there no more.
   *  Where it does not run yet, it starts with them.
   *  @throws RangeError that begins with the place of what is wrong, where the old rules stay; and without `service`. */
  setRules(rules: Rules): Promise<void>;
  /** Erases everything of a session or a user: session data, what is known of them, requests, dead letters; where told, rows
   *  of the archive. See `forgetSubject` of `sessionwise/service`. It needs `secret`, and a connection for the moment.
   *  @throws RangeError without `secret`, or for anything but `{ session }` or `{ user }`; errors of the service. */
  forget(subject: Subject, options?: ForgetOptions): Promise<ErasedSubject>;
  /** Reads everything that can be told of a session or a user, as plain values for JSON. See `exportSubject` of
   *  `sessionwise/service`. It needs `secret`, and a connection for the moment. Encrypted data are read with the keys of
   *  the store.
   *  @throws RangeError without `secret`, or for anything but `{ session }` or `{ user }`; errors of the service. */
  export(subject: Subject, options?: ExportOptions): Promise<ExportedSubject>;
  /** Opens the namespace and its session data for tools of operators, as the dashboard, over connections of their own. Who
   *  calls closes both. It needs `secret`.
   *  @throws RangeError without `secret`; errors of the service. */
  openForOperators(): Promise<{ readonly namespace: Namespace; readonly sessions: SessionData }>;
  /** Ends live streams, and closes the client, the store and the service of this process. The first call does it, each further
   *  one waits for it. Never throws. */
  close(): Promise<void>;
}

/** Makes the parts of a site, and closes them. */
export class SiteParts<Store extends ClosableStore> implements SharedParts {
  readonly client: SessionClient;
  /** The live streams, for the framework's `sw.live`. */
  readonly live: LiveStreams;
  readonly #options: SessionwiseOptions;
  readonly #openStore: (options: SessionStoreOptions) => Store;
  readonly #inline: InlineService | undefined;
  #store: Store | undefined;
  #closed: Promise<void> | undefined;

  /** Begins to connect and returns; never throws because Redis is away. `openStore`: makes the framework's store.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionwiseOptions, openStore: (options: SessionStoreOptions) => Store) {
    checkSessionwiseOptions(options);
    this.#options = options;
    this.#openStore = openStore;
    const { namespace, secret, service, deadlineMs, client } = options;
    const own = {
      ...client,
      ...(namespace !== undefined && { namespace }),
      ...(deadlineMs !== undefined && { deadlineMs }),
    };
    if (service === undefined) {
      const { transport } = options;
      const route = { ...(transport !== undefined && { transport }), ...(secret !== undefined && { secret }) };
      this.client = new SessionClient({ ...own, ...route, redis: this.#redis });
      this.live = new LiveStreams(this.client, options.redis);
      return;
    }
    const inline = new InlineService({ ...this.#serviceOptions(secret!), ...(service !== 'inline' && service) });
    this.#inline = inline;
    try {
      // For what happens with notices: a service in the process does not tell it.
      const ofEvents = { redis: this.#redis, secret: secret! };
      this.client = new SessionClient({ ...own, ...ofEvents, transport: inline.transport });
      this.live = new LiveStreams(this.client, options.redis);
    } catch (error) {
      void inline.close();
      throw error;
    }
  }

  get notices(): NoticePublisher {
    return this.client.notices;
  }

  /** The store, which is opened at the first use: a site without sessions in Redis has none.
   *  @throws RangeError or ConnectionOptionsError for an option that cannot be used, TypeError behind `close`. */
  get store(): Store {
    if (this.#store) return this.#store;
    if (this.#closed) throw new TypeError('This was closed: make another with createSessionwise().');
    const { namespace, store, redis } = this.#options;
    this.#store = this.#openStore({ ...store, redis, ...(namespace !== undefined && { namespace }) });
    return this.#store;
  }

  /** The store, where it is open. */
  get openedStore(): Store | undefined {
    return this.#store;
  }

  /** Checks the options that the framework's `session` is given. `forms`: as of `checkOptions`. `elsewhere`: what to give in
   *  place of options of other libraries.
   *  @throws RangeError for an unknown name, which says where it goes, and for a value of the wrong type. */
  checkSessionOptions(
    owner: string,
    options: unknown,
    forms: Readonly<Record<string, string>>,
    elsewhere: Readonly<Record<string, string>> = {},
  ): void {
    checkOptions(owner, options, forms, { ...BESIDE_SESSION, ...elsewhere });
  }

  person(userId: string, options?: PageOptions): SessionHandle {
    return this.client.session(personOf(userId), options);
  }

  async setRules(rules: Rules): Promise<void> {
    if (this.#inline) return this.#inline.setRules(rules);
    throw new RangeError(
      'setRules() is of a service in this process: createSessionwise({ service }). One elsewhere reads its own file anew when it changes.',
    );
  }

  forget(subject: Subject, options?: ForgetOptions): Promise<ErasedSubject> {
    return this.#inNamespace('forget', ({ forgetSubject }, namespace) => forgetSubject(namespace, subject, options));
  }

  export(subject: Subject, options?: ExportOptions): Promise<ExportedSubject> {
    const encryption = this.#options.store?.encryption;
    return this.#inNamespace('export', ({ exportSubject }, namespace) =>
      exportSubject(namespace, subject, { encryption, ...options }),
    );
  }

  async openForOperators(): Promise<{ readonly namespace: Namespace; readonly sessions: SessionData }> {
    const namespace = await this.#openNamespace('dashboard', await loadService());
    const { namespace: name, store, redis } = this.#options;
    // Looks on: sweeping and archiving are for the site and the service.
    const { archive: _archive, ...read } = store ?? {};
    const named = name === undefined ? {} : { namespace: name };
    return { namespace, sessions: new SessionData({ ...read, redis, ...named, sweep: false }) };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  // The service last: it may be doing what the client has sent.
  async #close(): Promise<void> {
    const inline = this.#inline;
    const others = Promise.allSettled([this.live.close(), this.client.close(), this.#store?.close()]);
    // At once, where it does not run yet: its start is given up.
    await Promise.all([others, inline?.isRunning ? others.then(() => inline.close()) : inline?.close()]);
  }

  async #inNamespace<Result>(
    verb: string,
    work: (service: Awaited<ReturnType<typeof loadService>>, namespace: Namespace) => Promise<Result>,
  ): Promise<Result> {
    const alone = ` Session data alone: store.data.${verb}().`;
    this.#secretFor(verb, alone);
    const service = await loadService();
    const namespace = await this.#openNamespace(verb, service, alone);
    try {
      return await work(service, namespace);
    } finally {
      await namespace.redis.close();
    }
  }

  async #openNamespace(
    verb: string,
    { openNamespace }: Awaited<ReturnType<typeof loadService>>,
    alone = '',
  ): Promise<Namespace> {
    return openNamespace(this.#serviceOptions(this.#secretFor(verb, alone)), false);
  }

  #secretFor(verb: string, alone: string): string {
    const { secret } = this.#options;
    if (secret !== undefined) return secret;
    throw new RangeError(
      `${verb}() needs the secret of the namespace, with which a person's keys are named: createSessionwise({ redis, secret }).${alone}`,
    );
  }

  #serviceOptions(secret: string): ServiceOptions {
    const { namespace } = this.#options;
    return { redis: this.#redis, secret, ...(namespace !== undefined && { namespace }) };
  }

  // Connections take a client of node-redis too; the types of client and service name addresses only.
  get #redis(): string | ConnectionOptions {
    return this.#options.redis as string | ConnectionOptions;
  }
}
