import { type HealthData, HealthReader } from '../health/health-reader.ts';
import { dropLetters, retryLetters } from '../health/letter-actions.ts';
import { perStore } from '../per-store.ts';
import type { DashboardAction, DashboardView } from '../view.ts';

const readerOf = perStore((store) => new HealthReader(store));

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
