import { personOf } from '../../protocol/index.ts';
import { PARTITIONS } from '../../redis/index.ts';
import { StreamErasure } from '../../transport/service/index.ts';
import type { Namespace } from '../open-namespace.ts';
import { boundedCommands } from './bounded-commands.ts';

/** What is known of a person, as an erasure and an export see it. */
export interface PersonKnowledge {
  /** The person as it stands on the wire, in streams and dead letters. */
  readonly wireName: string;
  /** The name of the person's keys. */
  readonly subject: string;
  /** Lists the sessions that are claimed for the person, or would be by a request that waits in a stream: what is noted of
   *  them is the person's. */
  sources(): Promise<string[]>;
  /** Erases what is known; nothing that was noted before is merged later. Returns how many keys there were. */
  erase(): Promise<number>;
}

/** Finds the knowledge of a user's person.
 *  @throws RangeError for what is no user id. */
export function personKnowledgeOf(namespace: Namespace, userId: string): PersonKnowledge {
  const { keys, knowledge } = namespace;
  const redis = boundedCommands(namespace.redis);
  const wireName = personOf(userId);
  const { subject } = knowledge.read(wireName);
  return {
    wireName,
    subject,
    sources: async () => {
      const sources = new Set<string>();
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const claimed = await redis.command<string[]>('ZRANGE', keys.merging(partition), '0', '-1');
        const owners = await Promise.all(
          claimed.map((session) => redis.command<string | null>('HGET', keys.claim(session), 'to')),
        );
        for (const [i, session] of claimed.entries()) if (owners[i] === subject) sources.add(session);
      }
      for (const session of await new StreamErasure(redis, keys, namespace.seal).sourcesOf(wireName)) {
        const owner = await redis.command<string | null>('HGET', keys.claim(session), 'to');
        if (owner === null || owner === subject) sources.add(session);
      }
      return [...sources];
    },
    erase: async () => {
      const parts = [...keys.all(subject), keys.merged(subject), keys.beside(subject)];
      const [there, length] = await Promise.all([
        redis.command<number>('EXISTS', ...parts),
        redis.command<number>('STRLEN', keys.subject(subject)),
      ]);
      await knowledge.people.erase(subject);
      // A mark without content stands in place of the record for an hour.
      return length === 0 ? 0 : there;
    },
  };
}
