// @ts-check
import { CUSTOMERS, NOTICES } from './catalogue.js';

const TRY_AGAIN_MS = 1_000;

/**
 * Publishes what the shop itself announces, and tries again until a service has acknowledged it. Each start and each
 * process may do so: published again under the same id, nothing changes.
 * @param {import('sessionwise/express').Sessionwise} sw
 * @param {(line: string) => void} log
 * @returns {{ tried: Promise<void>, stop(): void }} `tried`: settles when it was tried once.
 */
export function publishOwnNotices({ notices }, log) {
  let isStopped = false;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const publish = async () => {
    try {
      // The first is to be the newest.
      for (const notice of NOTICES.toReversed()) await notices.publish({ ...notice, to: { group: CUSTOMERS } });
    } catch (error) {
      if (isStopped) return;
      const { code, message } = /** @type {Error & { code?: string }} */ (error);
      if (code === 'NOT_ACKNOWLEDGED') timer = setTimeout(publish, TRY_AGAIN_MS);
      else log(`The shop's own notices cannot be published: ${message}`);
    }
  };
  return {
    tried: publish(),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
