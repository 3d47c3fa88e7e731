import { isPerson, isSession } from '../../protocol/index.ts';
import type { CommandConnection } from '../../redis/index.ts';
import { PayloadDecryptionError } from './payload-decryption-error.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { findMerges } from './scripts/find-merges.ts';

/* waiting-merges.ts: requests in streams and dead letters that merge sessions into persons (`identify`, also as a part of
 * `together`). The session stands in the payload, which may be sealed: so no script can look for it. */

// Limits of one step: Redis serves no other command meanwhile.
const ENTRIES_AT_ONCE = 200;
const BYTES_AT_ONCE = 1024 * 1024;

/** A request that merges sessions into a person. */
export interface WaitingMerge {
  /** Its entry. */
  readonly id: string;
  /** The person, as it stands on the wire. */
  readonly person: string;
  readonly sources: readonly string[];
}

/** Finds the merges that wait in streams. */
export class WaitingMerges {
  readonly #redis: CommandConnection;
  readonly #seal: PayloadSeal;

  constructor(redis: CommandConnection, seal: PayloadSeal) {
    this.#redis = redis;
    this.#seal = seal;
  }

  /** Lists those of one stream. A payload that was sealed with another secret is nobody's here.
   *  @throws whatever Redis refuses with. */
  async of(stream: string): Promise<WaitingMerge[]> {
    const merges: WaitingMerge[] = [];
    for (let from = '-'; from !== ''; ) {
      const args = { from, mostEntries: ENTRIES_AT_ONCE, mostBytes: BYTES_AT_ONCE };
      const [last, ...entries] = await findMerges.run(this.#redis, { stream }, args);
      for (const [id, fields] of entries) {
        const merge = this.#read(id, fields);
        if (merge.sources.length > 0) merges.push(merge);
      }
      from = last === '' ? '' : `(${last}`;
    }
    return merges;
  }

  #read(id: string, fields: readonly string[]): WaitingMerge {
    const found: Record<string, string> = {};
    for (let i = 0; i + 1 < fields.length; i += 2) found[fields[i]!] = fields[i + 1]!;
    const { c: command = '', s: session = '', r: request = '', p, e } = found;
    const payload = e === undefined ? p : this.#open({ command, session, request }, e);
    return { id, person: session, sources: payload === undefined ? [] : sourcesIn(command, payload) };
  }

  #open(context: { command: string; session: string; request: string }, sealed: string): string | undefined {
    try {
      return this.#seal.open(context, sealed);
    } catch (error) {
      if (error instanceof PayloadDecryptionError) return undefined;
      throw error;
    }
  }
}

// Any producer may have written it.
function sourcesIn(command: string, payload: string): string[] {
  const given: unknown[] = command === 'identify' ? [payload] : partsOf(payload).map(sourceOf);
  return given.filter(
    (source): source is string => typeof source === 'string' && isSession(source) && !isPerson(source),
  );
}

function sourceOf(part: unknown): unknown {
  return Array.isArray(part) && part[0] === 'identify' ? part[1] : undefined;
}

function partsOf(payload: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(payload);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
