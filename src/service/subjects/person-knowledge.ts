import { personOf } from '../../protocol/index.ts';
import type { Namespace } from '../open-namespace.ts';

/** What is known of a person, as an erasure and an export see it. */
export interface PersonKnowledge {
  /** The person as it stands on the wire, in streams and dead letters. */
  readonly wireName: string;
  /** The subject under which the person's knowledge is stored. */
  readonly subject: string;
  /** Refuses, from now on, everything that was sent before. */
  markErased(): Promise<void>;
  /** Lists the sessions whose knowledge is on its way to the person. */
  sources(): Promise<readonly string[]>;
}

/** Finds the knowledge of a user's person.
 *  @throws RangeError for what is no user id. */
export function personKnowledgeOf(_namespace: Namespace, userId: string): PersonKnowledge {
  const person = personOf(userId);
  return {
    wireName: person,
    subject: person,
    markErased: async () => undefined,
    sources: async () => [],
  };
}
