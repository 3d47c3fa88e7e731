import { inboxChannel, topicChannel, wirePrefix } from '../../protocol/index.ts';
import { type RemoteTransportName, routesOf } from '../../transport/index.ts';
import { connectionCommands } from './connection-commands.ts';
import type { Grant } from './grant.ts';
import { keyPatternsOf } from './key-patterns.ts';

/** What a serving process needs to ask the service, and no more: it can read and write neither what is known of sessions
 *  nor their data. */
export function appGrants(namespace: string, transport: RemoteTransportName, cluster: boolean): Grant[] {
  const routes = routesOf(transport);
  const hasChannels = routes.includes('channels');
  const grants: Grant[] = [
    {
      commands: [...connectionCommands(cluster), ...(hasChannels ? ['client|id', 'client|unblock'] : [])],
    },
    // Heartbeats and the process's own inbox, whose name nobody can guess.
    { commands: ['subscribe', ...(cluster ? ['ssubscribe'] : [])], channels: [inboxChannel(namespace, '*')] },
  ];
  if (hasChannels) {
    grants.push(
      { commands: ['publish'], channels: [topicsOf(namespace)] },
      // Our client sends no EXPIRE; clients of the protocol in other languages may, for lists that they gave up.
      { commands: ['blpop', 'expire'], keys: [`${wirePrefix(namespace)}async:*`] },
    );
  }
  if (routes.includes('streams')) {
    // EVAL wants its keys readable; but no command that reads an entry is among these.
    grants.push({ commands: ['eval', 'evalsha', 'xlen', 'xadd'], keys: [keyPatternsOf(namespace).requests] });
  }
  return grants;
}

function topicsOf(namespace: string): string {
  return topicChannel(namespace, '*', '', '').replace(/:+$/, '');
}
