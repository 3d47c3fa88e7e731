import { DeadLetters } from '../../transport/service/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import type { DashboardView } from '../view.ts';

/** What the page of health shows. */
export interface HealthData {
  readonly instances: readonly { readonly id: string; readonly glob: string; readonly transport: string }[];
  readonly deadLetters: number;
}

/** Who serves the namespace, and how well. */
export const healthView: DashboardView<HealthData> = {
  name: 'health',
  title: 'Health',
  everyMs: 500,
  read: async (store: DashboardStore) => {
    const { redis, keys, seal } = store.namespace;
    const presence = await store.presence();
    return {
      instances: presence.staying().map(({ id, glob, streams, channels }) => ({
        id,
        glob: glob.text,
        transport: [...(channels ? ['channels'] : []), ...(streams ? ['streams'] : [])].join(' and '),
      })),
      deadLetters: await new DeadLetters(redis, keys, seal).count(),
    };
  },
};
