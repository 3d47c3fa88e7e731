import { readRedis, redisBetween } from '../support/window.js';
import { PAGES } from './load.js';

/** One side of the wire: opens a way when a row asks for it, and keeps it open for the rows that follow. */
export class Side {
  #way;
  #inFlight;

  /** `host`: the side whose service answers, where this one has none. */
  constructor({ redis }, service, client, times, host) {
    Object.assign(this, { redis, service, client, times, host });
  }

  /** One window: requests a second, latencies, and what a request cost in each process. */
  async measure({ kind, way, ...row }) {
    const inFlight = Math.min(row.inFlight, this.times.mostInFlight);
    await this.#openWay(way);
    await this.#openClient(way, inFlight);
    const { warmMs, ms } = this.times;
    await this.client.ask('run', { kind, ms: warmMs, inFlight });
    const before = await this.#read();
    const { count, ...speed } = await this.client.ask('run', { kind, ms, inFlight });
    const after = await this.#read();
    const each = (name) => (after[name] - before[name]) / count;
    return {
      ...speed,
      requests: count,
      ...(this.#answering(way) && { serviceUs: each('service') }),
      clientUs: each('client'),
      ...redisBetween(before.redis, after.redis, count),
    };
  }

  // Other sides of the same way follow, so it is closed only when another begins.
  async #openWay(way) {
    if (this.host) return this.host.#openWay(way);
    if (this.#way === way) return;
    await this.#close();
    await this.redis.sendCommand(['FLUSHALL']);
    if (way !== 'inline') await this.service.ask('serve', { way });
    this.#way = way;
    // Each session has seen its pages then, in every window.
    await this.#openClient(way, FIRST_IN_FLIGHT);
    const count = this.times.sessions * PAGES;
    await this.client.ask('askAll', { kind: 'view', count, inFlight: FIRST_IN_FLIGHT });
  }

  // A client for lists has as many connections as requests.
  async #openClient(way, inFlight) {
    const needed = way === 'list' ? inFlight : FIRST_IN_FLIGHT;
    if (this.#inFlight === needed) return;
    if (this.#inFlight !== undefined) await this.client.ask('close');
    await this.client.ask('open', {
      way: this.host ? 'connection' : way,
      inFlight: needed,
      sessions: this.times.sessions,
    });
    this.#inFlight = needed;
  }

  async #close() {
    if (this.#inFlight !== undefined) await this.client.ask('close');
    this.#inFlight = undefined;
    if (this.#way !== undefined && this.#way !== 'inline') await this.service.ask('close');
    this.#way = undefined;
  }

  #answering(way) {
    return way === 'inline' ? undefined : (this.service ?? this.host.service);
  }

  async #read() {
    const service = await this.#answering(this.#way ?? 'list')?.ask('cpu');
    return { service, client: await this.client.ask('cpu'), redis: await readRedis(this.redis) };
  }
}

const FIRST_IN_FLIGHT = 32;
