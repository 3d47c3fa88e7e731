import type { Command } from 'commander';
import { MINUTE_MS, type SubjectReading } from '../knowledge/index.ts';
import { isPerson, normalizeItem, sessionOf } from '../protocol/index.ts';
import type { Namespace } from '../service/index.ts';
import { readRecordState } from '../sessions/maintenance/index.ts';
import { type Inspected, inspectedOf, notASession } from './inspected.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { NotInspectedError } from './not-inspected-error.ts';
import { print } from './print.ts';
import { printableOnOneLine } from './printable.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface InspectFlags extends NamespaceFlags {
  readonly user?: string;
  readonly seen: string[];
  readonly timeZone: string;
  readonly json?: boolean;
}

/** Calculated data of a session or a person, as `--json` prints it. */
interface Inspection {
  /** One of the two. */
  readonly session?: string;
  readonly user?: string;
  readonly known: boolean;
  /** Whether the session has data in a store. */
  readonly sessionData: boolean;
  /** Whether the session has ended, and its header is still kept. */
  readonly ended: boolean;
  readonly totalPages: number;
  readonly uniquePages: number;
  readonly uniquePagesExact: boolean;
  readonly items: number;
  readonly activeMinutes: number;
  readonly firstActiveMinute: string | null;
  readonly lastActiveMinute: string | null;
  readonly lastHour: string;
  readonly noticesMarked: number;
  readonly expiresInSeconds: number | null;
  readonly bytes: number;
  readonly seen: Readonly<Record<string, boolean>>;
}

/** Adds `sessionwise inspect`: prints the calculated data of a session or a person, in words or as JSON. */
export function addInspectCommand(program: Command): void {
  addNamespaceOptions(
    program
      .command('inspect')
      .description('tell what is known of a session or a user')
      .argument('[session]', 'the public id of a session (never a token)'),
  )
    .option('--user <id>', 'the id of a user, as the site gives it to identify(), in place of a session')
    .option(
      '--seen <item>',
      'also tell whether this item was seen (may be repeated)',
      (item, all: string[]) => [...all, item],
      [],
    )
    .option('--time-zone <zone>', 'for the times that are shown', Intl.DateTimeFormat().resolvedOptions().timeZone)
    .option('--json', 'print it as JSON')
    .action(async (session: string | undefined, flags: InspectFlags) => {
      const inspected = inspectedOf(session, flags.user);
      checkTimeZone(flags.timeZone);
      const inspection = await withNamespace(flags, async (namespace) => {
        const found = await inspect(namespace, inspected, flags.seen);
        if (!found.known && !found.sessionData && !found.ended) await refuseUnknown(namespace, inspected);
        return found;
      });
      print(flags.json ? JSON.stringify(inspection) : inWords(inspection, flags.timeZone));
    });
}

/** Refuses a user or a session without data. The message does not show the argument: a token of another library can look like a
 *  session id, so the session of such a token is looked up too.
 *  @throws NotInspectedError always. */
async function refuseUnknown(namespace: Namespace, { id }: Inspected): Promise<never> {
  if (isPerson(id)) {
    throw new NotInspectedError(
      `Nothing is known of this user in the namespace "${namespace.keys.namespace}": they were never seen logged in, were erased, or what was known has expired.`,
    );
  }
  const session = sessionOf(id);
  const { known, sessionData, ended } = await inspect(namespace, { session, id: session }, []);
  if (known || sessionData || ended) throw new NotInspectedError(notASession(session));
  throw new NotInspectedError(
    `Nothing is known of this session in the namespace "${namespace.keys.namespace}": it was never seen, or it has expired. If you gave a token: its session is ${session}, and nothing is known of that either.`,
  );
}

async function inspect(
  { redis, keys, knowledge }: Namespace,
  { id, ...inspected }: Inspected,
  seen: readonly string[],
): Promise<Inspection> {
  const subject = knowledge.read(id);
  // The keys of a person have another name.
  const name = subject.subject;
  const parts = isPerson(id) ? [...keys.all(name), keys.merged(name), keys.beside(name)] : keys.all(name);
  const sum = (numbers: readonly (number | null)[]): number =>
    numbers.reduce<number>((total, n) => total + (n ?? 0), 0);
  const now = Date.now();
  const [visit, items, foreign, sizes, record, ttl, lastHour, lastMinute] = await Promise.all([
    subject.visit(now),
    subject.count('item'),
    redis.command<number>('ZCARD', keys.foreignNotices(name)),
    Promise.all(parts.map((key) => redis.command<number | null>('MEMORY', 'USAGE', key))),
    readRecordState(redis, keys.record(name)),
    redis.command<number>('TTL', keys.subject(name)),
    subject.minutes(now - 59 * MINUTE_MS, now),
    subject.lastActiveMinute(),
  ]);
  return {
    ...inspected,
    known: await subject.isKnown(),
    sessionData: record === 'present',
    ended: record === 'ended',
    totalPages: visit.totalPages,
    uniquePages: visit.uniquePages,
    uniquePagesExact: visit.uniquePagesExact,
    items: items.count,
    activeMinutes: visit.activeMinutes,
    firstActiveMinute: isoOf(visit.firstActiveMinute),
    lastActiveMinute: isoOf(lastMinute),
    lastHour: lastHour.map((active) => (active ? '#' : '.')).join(''),
    noticesMarked: foreign + (await knowledge.notices.states.countRead(name)),
    expiresInSeconds: ttl < 0 ? null : ttl,
    bytes: sum(sizes),
    seen: Object.fromEntries(
      await Promise.all(seen.map(async (item) => [item, await wasSeen(knowledge, subject, item)])),
    ),
  };
}

async function wasSeen({ items }: Namespace['knowledge'], subject: SubjectReading, given: string): Promise<boolean> {
  const item = normalizeItem(given);
  const answers = await Promise.all(
    (['page', 'item'] as const).map((kind) => subject.hasSeen(kind, [items.of(kind, item)])),
  );
  return answers.flat().includes(true);
}

function inWords(known: Inspection, timeZone: string): string {
  const lines = [known.user === undefined ? `Session ${known.session}` : `User ${printableOnOneLine(known.user)}`];
  const plural = (n: number, one: string, many = `${one}s`): string =>
    `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
  const time = (iso: string | null): string =>
    iso === null
      ? 'never'
      : new Date(iso).toLocaleString('en-GB', { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  if (known.ended)
    lines.push('  Has ended. A header stays for an hour; with an archive, the data stay until it has taken them.');
  if (!known.known && !known.ended)
    lines.push('  Has session data, but no view was counted, or what was counted has expired.');
  if (known.known) {
    const about = known.uniquePagesExact ? '' : 'about ';
    lines.push(
      `  Viewed ${plural(known.totalPages, 'page')}, ${about}${known.uniquePages.toLocaleString('en')} of them different.`,
      `  Active in ${plural(known.activeMinutes, 'minute')}: first ${time(known.firstActiveMinute)}, last ${time(known.lastActiveMinute)} (${timeZone}).`,
      `  The last hour, minute by minute: ${known.lastHour}`,
      `  Marked ${plural(known.items, 'item')} as seen and ${plural(known.noticesMarked, 'notice')} as read.`,
      `  Takes ${plural(known.bytes, 'byte')} of Redis${known.expiresInSeconds === null ? '' : ` and expires in ${duration(known.expiresInSeconds)} unless it comes back`}.`,
    );
  }
  for (const [item, seen] of Object.entries(known.seen)) lines.push(`  ${item}: ${seen ? 'seen' : 'not seen'}.`);
  return lines.join('\n');
}

function duration(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.round(seconds / 86_400)} days`;
  if (seconds >= 2 * 3600) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.max(1, Math.round(seconds / 60))} minutes`;
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw new UsageError(`--time-zone ${timeZone} cannot be used: give for instance Europe/Berlin or UTC.`);
  }
}
