import type { SessionTransport } from '../transport/index.ts';
import { BREAKER_PROBE_MS, CircuitBreaker } from './circuit-breaker.ts';

/** Keeps one breaker per peer: where one of two instances hangs, only its sessions stop waiting. */
export class PeerBreakers {
  readonly #transport: Pick<SessionTransport, 'peerOf' | 'isGone' | 'probe'>;
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(transport: Pick<SessionTransport, 'peerOf' | 'isGone' | 'probe'>) {
    this.#transport = transport;
  }

  /** The breaker of the peer that would serve this. */
  breakerFor(command: string, session: string): CircuitBreaker {
    const peer = this.#transport.peerOf(command, session);
    let breaker = this.#breakers.get(peer);
    if (!breaker) {
      this.#dropGone();
      breaker = new CircuitBreaker(() => this.#transport.probe(command, session, BREAKER_PROBE_MS));
      this.#breakers.set(peer, breaker);
    }
    return breaker;
  }

  /** Ends all probes. */
  stop(): void {
    for (const breaker of this.#breakers.values()) breaker.stop();
  }

  #dropGone(): void {
    for (const [peer, breaker] of this.#breakers) {
      if (!this.#transport.isGone(peer)) continue;
      breaker.stop();
      this.#breakers.delete(peer);
    }
  }
}
