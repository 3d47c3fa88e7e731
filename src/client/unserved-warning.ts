import { warnOnce } from '../protocol/internal/index.ts';

// A service that is being started is not yet a mistake.
const UNSERVED_MS = 2_000;

/** Warns the developer, once, that no service has answered for two seconds. */
export class UnservedWarning {
  readonly #namespace: string;
  #unservedSince = Number.POSITIVE_INFINITY;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Notes that no instance serves a sent request. `isObserved`: the application listens to the event `degraded`, and
   *  needs no warning. */
  note(isObserved: boolean): void {
    const now = performance.now();
    this.#unservedSince = Math.min(this.#unservedSince, now);
    if (now - this.#unservedSince < UNSERVED_MS || isObserved) return;
    warnOnce(
      'SESSIONWISE_NOBODY_SERVES',
      `No service answers in the namespace "${this.#namespace}": pages go on without answers, and views over channels are lost. Is \`sessionwise serve\` running, for this Redis, --namespace and --transport?`,
      this.#namespace,
    );
  }

  /** Notes that a service is there. */
  reset(): void {
    this.#unservedSince = Number.POSITIVE_INFINITY;
  }
}
