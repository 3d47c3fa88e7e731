import type { SessionClient } from '../../client/index.ts';
import { MAX_ITEMS, MAX_PAYLOAD_BYTES } from '../../protocol/index.ts';
import { Keys, type RedisConnection } from '../../redis/index.ts';
import type { ExactCount, ExactSession } from './exact-count.ts';
import { inFlight } from './in-flight.ts';
import { question } from './question.ts';

/** Storage form of the seen pages of a session: in its record, or a seen filter and a unique count. */
export type SeenForm = 'exact' | 'filter';

/** Counts of right and wrong answers about seen and unseen pages. */
export interface SeenAnswers {
  sessions: number;
  /** Seen pages that the store surfaced as unseen. */
  falseNegatives: number;
  /** Unseen pages that were asked about. */
  probes: number;
  /** Unseen pages that the store called seen. */
  falsePositives: number;
}

/** The answers, by storage form. */
export type SeenAnswersByForm = Readonly<Record<SeenForm, SeenAnswers>>;

/** Asks with `surface`, per session, about all pages that it saw and many that it did not. Half of the unseen pages
 *  were seen by other sessions, as far as there are enough; the rest are made up. `negativeProbes`: the least number of
 *  unseen pages, over all sessions of one form.
 *  @throws ReplayError where the service no longer answers, or the signal's reason. */
export async function askSeen(
  client: SessionClient,
  redis: RedisConnection,
  exact: ExactCount,
  sessions: readonly string[],
  options: { readonly concurrency: number; readonly signal: AbortSignal; readonly negativeProbes: number },
): Promise<SeenAnswersByForm> {
  const { concurrency, signal, negativeProbes } = options;
  const keys = new Keys(client.namespace);
  const nothing = (): SeenAnswers => ({ sessions: 0, falseNegatives: 0, probes: 0, falsePositives: 0 });
  const answers = { exact: nothing(), filter: nothing() };
  const forms = new Map<string, SeenForm>();
  await inFlight(sessions, concurrency, async (session) => {
    const isLarge = await redis.command<number>('EXISTS', keys.seenFilter(session, 'page'));
    const form = isLarge === 1 ? 'filter' : 'exact';
    forms.set(session, form);
    answers[form].sessions += 1;
  });

  const allPages = exact.pages;
  let turn = 0;
  const ask = async (session: string): Promise<void> => {
    const answer = answers[forms.get(session)!];
    const { pages } = exact.sessions.get(session)!;
    turn += 1;
    const negatives = unseenPages(pages, allPages, turn, Math.ceil(negativeProbes / answer.sessions));
    for (const chunk of chunksOf([...pages, ...negatives])) {
      const reply = await question(client, 'surface', session, chunk, signal);
      const probes = chunk.filter((page) => !pages.has(page)).length;
      const surfaced = reply.filter((page) => pages.has(page)).length;
      answer.falseNegatives += surfaced;
      answer.probes += probes;
      answer.falsePositives += probes - (reply.length - surfaced);
    }
  };
  await inFlight(sessions, concurrency, ask, signal);
  return answers;
}

/** Returns `count` different pages that are not in `seen`; each `turn` gives a different selection. */
function unseenPages(
  seen: ExactSession['pages'],
  allPages: readonly string[],
  turn: number,
  count: number,
): readonly string[] {
  const unseen: string[] = [];
  const start = Math.imul(turn, 7919) >>> 0;
  for (let i = 0; i < allPages.length && unseen.length < count / 2; i += 1) {
    const page = allPages[(start + i) % allPages.length]!;
    if (!seen.has(page)) unseen.push(page);
  }
  for (let i = 0; unseen.length < count; i += 1) {
    const page = `/sessionwise-replay/never/${turn}/${i}`;
    if (!seen.has(page)) unseen.push(page);
  }
  return unseen;
}

/** Splits pages into parts that fit into one payload. */
function* chunksOf(pages: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 2;
  for (const page of pages) {
    const size = Buffer.byteLength(JSON.stringify(page)) + 1;
    if (chunk.length === MAX_ITEMS || bytes + size > MAX_PAYLOAD_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 2;
    }
    chunk.push(page);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
