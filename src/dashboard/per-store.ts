import type { DashboardStore } from './dashboard-store.ts';

/** Makes a function that returns one object for each store: it is made at the first call, and ends with the store. */
export function perStore<Value>(make: (store: DashboardStore) => Value): (store: DashboardStore) => Value {
  const made = new WeakMap<DashboardStore, Value>();
  return (store) => {
    const value = made.get(store) ?? make(store);
    made.set(store, value);
    return value;
  };
}
