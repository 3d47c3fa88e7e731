import { randomBytes } from 'node:crypto';
import { parseSessionGlob } from '../../src/protocol/index.ts';
import { createConnection, Keys, PARTITIONS, RedisClock, type RedisConnection } from '../../src/redis/index.ts';
import { InstanceBeat } from '../../src/service/instance-beat.ts';
import { ChannelReceiver } from '../../src/transport/channels/channel-receiver.ts';
import { Admission } from '../../src/transport/service/admission.ts';
import type { ServiceTransport } from '../../src/transport/service/service-transport.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { StreamReceiver } from '../../src/transport/streams/stream-receiver.ts';
import type { Served } from '../../src/transport/transport.ts';
import type { Route } from '../../src/transport/transport-names.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { RunningServers, ServersUnderTest } from './servers-under-test.ts';

export const STAGE_SECRET = 'a secret of the stage, long enough';

/** Servers, and a service whose commands are what a test makes of them. It effects nothing. */
export class TransportStage {
  servers!: RunningServers;
  admin!: RedisConnection;
  /** What `pageview` and `surface` answer. */
  dispatch!: (command: string, session: string, payload: string) => Promise<string>;
  heard: [command: string, session: string, payload: string][] = [];
  /** Replies that nobody took, as the service sees it; those that it did not send because it was too late included. */
  unclaimed = 0;
  readonly namespace: string;
  readonly #routes: readonly Route[];
  readonly #streams = new Set<StreamReceiver>();
  #served: { stop(): Promise<void> } | undefined;
  #release!: () => void;
  #released!: Promise<void>;

  /** `routes`: those that the service serves. */
  constructor(routes: readonly Route[], namespace = 'sw') {
    this.#routes = routes;
    this.namespace = namespace;
  }

  get url(): string {
    return this.servers.url;
  }

  async start(servers: ServersUnderTest): Promise<void> {
    await this.reset();
    this.servers = await servers.start();
    this.admin = await createConnection(this.url, 'admin').connect();
    this.#served = await this.serve(this.url);
  }

  async stop(): Promise<void> {
    await this.#served?.stop();
    await this.admin?.close();
    await this.servers?.stop();
  }

  /** From now on each payload is echoed. What hangs in streams is let go, because those behind it wait for it. */
  async reset(): Promise<void> {
    this.#release?.();
    await waitUntil('streams have nothing in hand', () => [...this.#streams].every(({ inFlight }) => inFlight === 0));
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
    this.heard = [];
    this.unclaimed = 0;
    this.dispatch = async (_, __, payload) => JSON.stringify(payload);
  }

  /** An answer that never comes. */
  hang(): Promise<string> {
    return new Promise(() => {});
  }

  /** Serves one request, as the service does on every route. */
  readonly answer = async (command: string, session: string, payload: string): Promise<Served> => {
    this.heard.push([command, session, payload]);
    return { json: await this.dispatch(command, session, payload) };
  };

  /** Serves on servers, on the stage's routes. */
  async serve(url: string): Promise<{ stop(): Promise<void> }> {
    const { namespace } = this;
    const redis = await createConnection(url, 'service').connect();
    const subscriber = await redis.duplicate('service').connect();
    const unclaimed = (count: number): void => {
      this.unclaimed += count;
    };
    const replyFailed = (): void => {};
    const commands = ['pageview', 'surface'];
    const self = {
      id: randomBytes(8).toString('hex'),
      glob: parseSessionGlob('?*'),
      commands,
      streams: this.#routes.includes('streams'),
      channels: this.#routes.includes('channels'),
    };
    const beat = new InstanceBeat(redis, namespace, self, () => {});
    const clock = new RedisClock();
    await clock.measure(redis);
    const streams = (): StreamReceiver =>
      new StreamReceiver({
        redis,
        keys: new Keys(namespace),
        dispatch: (command, session, payload) => {
          const letGo = this.#released.then(() => ({ json: '"let go"' }));
          return Promise.race([this.answer(command, session, payload), letGo]);
        },
        subscriber,
        seal: new PayloadSeal(STAGE_SECRET, namespace),
        now: clock.now,
        hasPassed: (atMs) => clock.hasPassed(atMs, redis),
        instance: self.id,
        others: () => [],
        admission: new Admission(),
        enabled: () => true,
        events: {
          committed: () => {},
          repeated: () => {},
          deadLettered: () => {},
          failing: () => {},
          expired: () => unclaimed(1),
          unclaimed,
          replyFailed,
        },
      });
    const channels = (): ChannelReceiver =>
      new ChannelReceiver(subscriber, redis, {
        namespace,
        glob: self.glob,
        commands,
        dispatch: this.answer,
        admission: new Admission(),
        events: { refused: () => {}, unclaimed, replyFailed },
      });
    const receivers: { readonly [Name in Route]: () => ServiceTransport } = { channels, streams };
    const running = this.#routes.map((route) => receivers[route]());
    const ofStreams = running.filter((receiver) => receiver instanceof StreamReceiver);
    for (const receiver of ofStreams) this.#streams.add(receiver);
    if (running.length > 0) await beat.start(subscriber);
    await Promise.all(running.map((receiver) => receiver.start()));
    return {
      stop: async () => {
        void beat.stop();
        await Promise.all(running.map((receiver) => receiver.stop(10)));
        for (const receiver of ofStreams) this.#streams.delete(receiver);
        await Promise.all([redis.close(), subscriber.close()]);
      },
    };
  }

  /** One command on every master; what they answered. */
  onMasters<Reply>(...command: string[]): Promise<Reply[]> {
    return Promise.all(this.admin.masters().map((master) => master.command<Reply>(...command)));
  }

  /** How many connections of our clients the servers have; `name`: how those it means are called. */
  async clientConnections(name = '(client|inbox|replies|blpop)'): Promise<number> {
    const clients = await this.onMasters<string>('CLIENT', 'LIST');
    const named = new RegExp(` name=sessionwise-${name}\\b`);
    return clients.flatMap((list) => list.split('\n')).filter((line) => named.test(line)).length;
  }

  /** Keys that are there, but for what an owner of partitions keeps: leases, and streams with nothing in them. */
  async keysLeft(): Promise<string[]> {
    const keys = new Keys(this.namespace);
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const owners = new Set(partitions.map((partition) => keys.owner(partition)));
    const streams = new Set(partitions.map((partition) => keys.requests(partition)));
    const all = (await this.onMasters<string[]>('KEYS', '*')).flat();
    const found = all.filter((key) => key.startsWith(`${this.namespace}:`) || key.startsWith('async:'));
    const left = await Promise.all(
      found.map(async (key) => {
        if (owners.has(key) || key === keys.streamInstances()) return [];
        return streams.has(key) && (await this.admin.command<number>('XLEN', key)) === 0 ? [] : [key];
      }),
    );
    return left.flat();
  }
}
