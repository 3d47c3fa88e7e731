import type { DashboardStore } from '../dashboard-store.ts';
import { type HealthData, HealthReader } from '../health/health-reader.ts';
import { dropLetters, retryLetters } from '../health/letter-actions.ts';
import type { DashboardAction, DashboardView } from '../view.ts';

const readers = new WeakMap<DashboardStore, HealthReader>();

function readerOf(store: DashboardStore): HealthReader {
  const reader = readers.get(store) ?? new HealthReader(store);
  readers.set(store, reader);
  return reader;
}

/** Who serves the namespace, and how well. */
export const healthView: DashboardView<HealthData> = {
  name: 'health',
  title: 'Health',
  everyMs: 500,
  read: (store) => readerOf(store).read(),
  actions: { retry: listedAnew(retryLetters), drop: listedAnew(dropLetters) },
};

function listedAnew<Input>(action: DashboardAction<Input>): DashboardAction<Input> {
  return {
    ...action,
    run: (store, input, by) => action.run(store, input, by).finally(() => readerOf(store).forgetLetters()),
  };
}
