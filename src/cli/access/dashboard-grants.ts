import { heartbeatChannel } from '../../protocol/index.ts';
import { figuresChannel } from '../../protocol/internal/index.ts';
import type { FilterEngine } from '../../redis/index.ts';
import type { Grant } from './grant.ts';
import { keyPatternsOf } from './key-patterns.ts';
import { serviceGrants } from './service-grants.ts';
import { storeGrants } from './store-grants.ts';

/** Grants the dashboard the keys of the namespace, to read and to act on: what a service and a store may do with them, and to
 *  look for subjects. It may listen to instances; it can neither answer requests nor publish anything. */
export function dashboardGrants(
  namespace: string,
  { filter, cluster }: { readonly filter: FilterEngine; readonly cluster: boolean },
): Grant[] {
  const [service] = serviceGrants(namespace, {
    ...{ transport: 'streams', sessionglobs: [], commands: [], filter, cluster },
  });
  const [store] = storeGrants(namespace, { cluster });
  return [
    {
      commands: [...new Set([...service!.commands, ...store!.commands, 'scan'])],
      keys: [keyPatternsOf(namespace).everything],
    },
    { commands: ['subscribe'], channels: [heartbeatChannel(namespace), figuresChannel(namespace)] },
  ];
}
