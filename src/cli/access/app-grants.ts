import { inboxChannel, topicChannel, wirePrefix } from '../../protocol/index.ts';
import { type RemoteTransportName, routesOf } from '../../transport/index.ts';
import { connectionCommands } from './connection-commands.ts';
import { consumerGrant } from './consumer-grant.ts';
import type { Grant } from './grant.ts';
import { keyPatternsOf } from './key-patterns.ts';

/** Grants a serving process the right to send requests to the service. It can neither read nor write the data of
 *  sessions, stored or calculated. With `live` it also reads what happens: with notices, and which sessions began and
 *  ended. */
export function appGrants(
  namespace: string,
  {
    transport,
    cluster,
    live,
    consume,
  }: {
    readonly transport: RemoteTransportName;
    readonly cluster: boolean;
    readonly live: boolean;
    readonly consume: boolean;
  },
): Grant[] {
  const routes = routesOf(transport);
  const hasChannels = routes.includes('channels');
  const grants: Grant[] = [
    {
      commands: [
        ...connectionCommands(cluster),
        ...(hasChannels ? ['client|id', 'client|unblock'] : []),
        ...(live ? ['time'] : []),
      ],
    },
    // Heartbeats and replies. An inbox has a random name that other processes cannot guess.
    { commands: ['subscribe', ...(cluster ? ['ssubscribe'] : [])], channels: [inboxChannel(namespace, '*')] },
  ];
  if (hasChannels) {
    grants.push(
      { commands: ['publish'], channels: [topicsOf(namespace)] },
      // EXPIRE is for clients in other languages, for reply lists that they no longer wait for; our client does not
      // send it.
      { commands: ['blpop', 'expire'], keys: [`${wirePrefix(namespace)}async:*`] },
    );
  }
  if (routes.includes('streams')) {
    // EVAL needs read access to its keys; none of these commands reads an entry.
    grants.push({ commands: ['eval', 'evalsha', 'xlen', 'xadd'], keys: [keyPatternsOf(namespace).requests] });
  }
  if (live) {
    const patterns = keyPatternsOf(namespace);
    grants.push({ commands: ['xread', 'xrange', 'xrevrange'], readKeys: [patterns.live, patterns.lifecycle] });
  }
  if (consume) grants.push(consumerGrant(keyPatternsOf(namespace).live));
  return grants;
}

function topicsOf(namespace: string): string {
  return topicChannel(namespace, '*', '', '').replace(/:+$/, '');
}
