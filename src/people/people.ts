/** Merges what is known of sessions into what is known of persons. */
export class People {
  /** Merges a session into a person. Resolves when what was known of it is the person's. */
  async identify(_person: string, _from: string): Promise<void> {
    throw new Error('not yet');
  }
}
