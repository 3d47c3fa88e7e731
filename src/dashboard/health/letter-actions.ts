import { DeadLetters } from '../../transport/service/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import type { DashboardAction } from '../view.ts';

/** Which dead letter, or all. */
type Which = { readonly id: string } | { readonly all: true };

/** Has dead letters done again, at the end of their streams. */
export const retryLetters: DashboardAction<Which> = {
  role: 'operator',
  parse: parseWhich,
  describe: (which) => which,
  run: async (store, which) => {
    const letters = lettersOf(store);
    if ('all' in which) return letters.retryAll();
    await letters.retry(which.id);
    return { retried: 1, skipped: 0 };
  },
};

/** Forgets dead letters. */
export const dropLetters: DashboardAction<Which> = {
  role: 'operator',
  parse: parseWhich,
  describe: (which) => which,
  run: async (store, which) => {
    const letters = lettersOf(store);
    if ('all' in which) return { dropped: await letters.dropAll() };
    await letters.drop(which.id);
    return { dropped: 1 };
  },
};

function lettersOf({ namespace: { redis, keys, seal } }: DashboardStore): DeadLetters {
  return new DeadLetters(redis, keys, seal);
}

function parseWhich(input: unknown): Which {
  const { id, all } = (input ?? {}) as { id?: unknown; all?: unknown };
  if (all === true && id === undefined) return { all };
  if (typeof id === 'string' && id.length <= 64 && all === undefined) return { id };
  throw new RangeError('Give the id of a dead letter, or {"all":true}.');
}
