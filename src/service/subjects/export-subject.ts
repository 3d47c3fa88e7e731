import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import { isUnreadable } from '../../redis/index.ts';
import type { SessionDataOptions } from '../../sessions/index.ts';
import {
  type ArchivedRow,
  checkSubject,
  type ErasableArchive,
  type ExportedSessions,
  SessionExport,
  type Subject,
} from '../../sessions/maintenance/index.ts';
import { type DeadLetter, DeadLetters } from '../../transport/service/index.ts';
import type { Namespace } from '../open-namespace.ts';
import { personKnowledgeOf } from './person-knowledge.ts';
import { subjectContextOf } from './subject-context.ts';
import { type SubjectFigures, subjectFigures } from './subject-figures.ts';

/** Everything that can be told of a subject, as plain values for JSON. Times are ISO 8601. */
export interface ExportedSubject extends ExportedSessions {
  /** What is known of the person and of each session. */
  readonly knowledge: readonly SubjectFigures[];
  /** Requests over streams that failed for good. */
  readonly deadLetters: readonly DeadLetter[];
  /** Rows of the archive; null where no archive was given. */
  readonly archived: readonly ArchivedRow[] | null;
}

/** What an export tells besides. */
export interface ExportOptions {
  /** The archive of ended sessions. Default: none is asked. */
  readonly archive?: ErasableArchive | undefined;
  /** Pages and items, to be told which of them were seen. Default: none. */
  readonly candidates?: readonly string[] | undefined;
  /** The keys of a store that encrypts. Default: none, and encrypted data are left out, which `problem` says. */
  readonly encryption?: SessionDataOptions['encryption'];
}

const EXPORT_OPTIONS: OptionForms<ExportOptions> = {
  archive: 'object|function',
  candidates: 'object',
  encryption: 'object',
};
// More than all partitions keep.
const MOST_LETTERS = 100_000;

/** Reads everything that can be told of a session, or of a user with all sessions: values, devices, times, events, and
 *  what is known of views, items and notices.
 *  @throws SubjectTimeoutError; RangeError for anything but `{ session }` or `{ user }`, for an option that is unknown, or
 *  for keys that are none; what Redis or the archive refuses with. */
export async function exportSubject(
  namespace: Namespace,
  given: Subject,
  options: ExportOptions = {},
): Promise<ExportedSubject> {
  checkOptions('export()', options, EXPORT_OPTIONS);
  const subject = checkSubject(given);
  const { archive, candidates = [], encryption } = options;
  const stored = await new SessionExport(subjectContextOf(namespace), encryption).export(subject);
  const person = subject.user === undefined ? undefined : personKnowledgeOf(namespace, subject.user);
  const sessions = new Set(
    subject.session === undefined ? stored.sessions.map(({ session }) => session) : [subject.session],
  );
  for (const source of (await person?.sources()) ?? []) sessions.add(source);
  const figures: (SubjectFigures | undefined)[] = [];
  const unreadable = [...stored.unreadable];
  const read = async (name: string, of: string): Promise<void> => {
    try {
      figures.push(await subjectFigures(namespace, name, of, candidates));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push({ of, problem: (error as Error).message });
    }
  };
  if (person) await read(person.wireName, 'person');
  for (const session of sessions) await read(session, session);
  const names = new Set([...sessions, ...(person ? [person.wireName, person.subject] : [])]);
  const letters = await new DeadLetters(namespace.redis, namespace.keys, namespace.seal).list(MOST_LETTERS);
  return {
    ...stored,
    unreadable,
    knowledge: figures.filter((each) => each !== undefined),
    deadLetters: letters.filter(({ session }) => names.has(session)),
    archived: archive ? await archive.export(namespace.keys.namespace, subject) : null,
  };
}
