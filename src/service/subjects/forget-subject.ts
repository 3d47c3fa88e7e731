import { setTimeout as pause } from 'node:timers/promises';
import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import { partitionOf } from '../../redis/index.ts';
import {
  ARCHIVE_IN_HAND_MS,
  checkSubject,
  type ErasableArchive,
  SessionErasure,
  type Subject,
} from '../../sessions/maintenance/index.ts';
import { StreamErasure } from '../../transport/service/index.ts';
import type { Namespace } from '../open-namespace.ts';
import { boundedCommands } from './bounded-commands.ts';
import { personKnowledgeOf } from './person-knowledge.ts';
import { subjectContextOf } from './subject-context.ts';

/** What an erasure deleted, by kind. All are 0 where it was done before. */
export interface ErasedSubject {
  /** Session records, with those that waited for the archive. */
  readonly sessions: number;
  /** Copies of sessions that a store has written for connect-redis (`mirrorTo`). */
  readonly copies: number;
  /** Keys of what was known of the sessions and of the person. */
  readonly knowledge: number;
  /** Entries of ended sessions in the queue of the archive. */
  readonly waitingForArchive: number;
  /** Entries of the lifecycle stream, with those that the erasure itself made. */
  readonly lifecycleEvents: number;
  /** Entries about notices in the stream of live events. */
  readonly noticeEvents: number;
  /** Requests that waited in a stream. */
  readonly requests: number;
  readonly deadLetters: number;
  /** Ids of requests that were done within the last minute. */
  readonly requestIds: number;
  /** Rows of the archive; null where no archive was given. */
  readonly archived: number | null;
  /** Sessions of the user's index that cannot be read, so nobody knows whether they are the user's. They stay. */
  readonly unreadable: number;
}

/** Where else an erasure looks. */
export interface ForgetOptions {
  /** The archive of ended sessions: `postgresArchive` makes one. Default: none is told. */
  readonly archive?: ErasableArchive | undefined;
}

const FORGET_OPTIONS: OptionForms<ForgetOptions> = { archive: 'object|function' };

/** Erases everything of a session, or of a user: session data, what is known of the sessions and of the person, the
 *  user's index, lifecycle events, requests and dead letters in streams, and rows of the archive. In steps, each with a
 *  deadline of five seconds. Doing it again is harmless, and goes on where it was interrupted.
 *
 *  First the sessions end and everything under way is refused, then the rest is deleted: so nothing comes back. For an
 *  hour nothing is noted of the erased sessions and the person. Where a session waited for the archive, an archiver may
 *  have it in hand: then this waits ten seconds and looks into the archive again.
 *  @throws SubjectTimeoutError; RangeError for anything but `{ session }` or `{ user }`, and for an option that is unknown;
 *  what Redis or the archive refuses with. */
export async function forgetSubject(
  namespace: Namespace,
  given: Subject,
  options: ForgetOptions = {},
): Promise<ErasedSubject> {
  checkOptions('forget()', options, FORGET_OPTIONS);
  const subject = checkSubject(given);
  const { archive } = options;
  const erasure = new SessionErasure(subjectContextOf(namespace));
  const person = subject.user === undefined ? undefined : personKnowledgeOf(namespace, subject.user);
  const { ids, ...data } = await erasure.eraseRecords(subject);
  const names = new Set(ids);
  let { knowledge } = data;
  const sources = (await person?.sources()) ?? [];
  await erasure.remember(subject, sources);
  for (const source of sources) {
    const erased = await erasure.eraseRecords({ session: source });
    knowledge += erased.knowledge;
    names.add(source);
  }
  if (person) {
    knowledge += await person.erase();
    for (const name of [person.wireName, person.subject]) names.add(name);
  }
  // Rows name sessions of the user that have left Redis, and events may name these still.
  const rows = await archive?.export(namespace.keys.namespace, subject);
  const archivedSessions = (rows ?? []).map(({ session }) => String(session));
  await erasure.remember(subject, archivedSessions);
  const archived = await eraseRows(archive, namespace.keys.namespace, subject, data.waitingForArchive > 0);
  for (const session of [...archivedSessions, ...(archived ?? [])]) names.add(session);
  const lifecycleEvents = await erasure.eraseEvents([...names]);
  const bounded = boundedCommands(namespace.redis);
  const noticeEvents = await namespace.knowledge.notices.events.erase(bounded, [...names]);
  // Behind the events, because it writes their streams anew too.
  const streams = new StreamErasure(bounded, namespace.keys, namespace.seal);
  const requests = await streams.erase([...names]);
  // Claimed sessions stand in the list of their partition, until a sweep would find them gone.
  for (const name of names) await bounded.command('ZREM', namespace.keys.merging(partitionOf(name)), name);
  await erasure.finish(subject);
  return { ...data, knowledge, lifecycleEvents, noticeEvents, ...requests, archived: archived?.length ?? null };
}

async function eraseRows(
  archive: ErasableArchive | undefined,
  namespace: string,
  subject: Subject,
  hasWaited: boolean,
): Promise<string[] | undefined> {
  if (!archive) return undefined;
  const rows = await archive.erase(namespace, subject);
  if (!hasWaited) return rows;
  await pause(ARCHIVE_IN_HAND_MS);
  return [...rows, ...(await archive.erase(namespace, subject))];
}
