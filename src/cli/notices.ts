import type { Command } from 'commander';
import { type Knowledge, type ListedNotice, NoticeRefusedError, publishedNotice } from '../knowledge/index.ts';
import { checkUserId, NOTICE_SEVERITIES, type NoticeAudience, ProtocolError, personOf } from '../protocol/index.ts';
import {
  checkAudience,
  checkGroupName,
  checkNoticeEdit,
  checkNoticeId,
  checkNoticeToPublish,
} from '../protocol/internal/index.ts';
import { addFollow } from './follow-notices.ts';
import { addNamespaceOptions, type NamespaceFlags } from './namespace-options.ts';
import { print } from './print.ts';
import { printableOnOneLine } from './printable.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface RecipientFlags extends NamespaceFlags {
  readonly group?: string;
  readonly segment?: string;
  readonly person?: string;
  readonly session?: string;
  readonly json?: boolean;
}

interface ContentFlags extends RecipientFlags {
  readonly id: string;
  readonly text?: string;
  readonly title?: string;
  readonly severity?: string;
  readonly data?: string;
  readonly publishAt?: string;
  readonly expiresAt?: string;
}

/** Adds `sessionwise notices publish|edit|withdraw|list|stats|group|follow`. */
export function addNoticesCommand(program: Command): void {
  const notices = program
    .command('notices')
    .description('publish, edit, withdraw, list and follow notices, and count who has seen them')
    .argument('[action]', 'publish, edit, withdraw, list, stats, group or follow')
    .action((action: string | undefined) => {
      const fault = action === undefined ? 'The action is missing' : `The action ${action} is unknown`;
      throw new UsageError(`${fault}: give notices publish, edit, withdraw, list, stats, group or follow.`);
    });
  addPublish(notices);
  addEdit(notices);
  addWithdraw(notices);
  addList(notices);
  addStats(notices);
  addGroup(notices);
  addFollow(notices);
  for (const command of notices.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
}

function addPublish(notices: Command): void {
  addContent(
    addRecipients(notices.command('publish').description('publish a notice: stored once, however many see it')),
  )
    .requiredOption('--id <id>', 'the id by which it is marked as read; the same id again changes nothing')
    .requiredOption('--text <text>', 'the text of the notice')
    .action(async (flags: ContentFlags) => {
      const { to, ...notice } = inFlags(() =>
        checkNoticeToPublish({ to: recipientOf(flags), id: flags.id, ...contentOf(flags) }),
      );
      const result = await withKnowledge(flags, ({ knowledge }) => knowledge.addressed.publish(to, notice));
      if (flags.json) print(JSON.stringify({ id: notice.id, ...result }));
      else if (!result.isNew) print(`"${notice.id}" is there already: nothing changed.`);
      else print(`Published "${notice.id}" to ${inWords(flags)}: shown from ${iso(result.at)}.`);
    });
}

function addEdit(notices: Command): void {
  addContent(addOwner(notices.command('edit').description('change a notice; what was read stays read')))
    .argument('<id>', 'its id')
    .option('--text <text>', 'the text of the notice')
    .action(async (id: string, flags: ContentFlags) => {
      const {
        to,
        id: checked,
        ...changes
      } = inFlags(() => checkNoticeEdit({ id, ...contentOf(flags), ...ownerOf(flags) }));
      const lists = await withKnowledge(flags, ({ knowledge }) => knowledge.addressed.change(checked, changes, to));
      tell(flags, checked, lists, 'Changed');
    });
}

function addWithdraw(notices: Command): void {
  addOwner(notices.command('withdraw').description('take a notice away'))
    .argument('<id>', 'its id')
    .action(async (id: string, flags: RecipientFlags) => {
      const { to, id: checked } = inFlags(() => checkNoticeEdit({ id, ...ownerOf(flags) }));
      const lists = await withKnowledge(flags, ({ knowledge }) => knowledge.addressed.change(checked, undefined, to));
      tell(flags, checked, lists, 'Withdrew');
    });
}

function addList(notices: Command): void {
  addRecipients(notices.command('list').description('list notices, also those that are still to come or have expired'))
    .option('--limit <n>', 'how many at most', '50')
    .action(async (flags: RecipientFlags & { readonly limit: string }) => {
      const limit = Number(flags.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
        throw new UsageError(`--limit ${flags.limit} cannot be used: give a whole number from 1 to 1,000.`);
      }
      const of = inFlags(() => recipientOf(flags));
      const found = await withKnowledge(flags, ({ knowledge }) => knowledge.addressed.list(of));
      for (const notice of found.slice(0, limit))
        print(flags.json ? JSON.stringify(publishedNotice(notice)) : line(notice));
      if (found.length === 0 && !flags.json) print('There are no notices.');
    });
}

function addStats(notices: Command): void {
  addNamespaceOptions(
    notices
      .command('stats')
      .description('estimate how many have seen and read notices')
      .argument('<id...>', 'ids of notices'),
  )
    .option('--json', 'print the result as JSON')
    .action(async (ids: string[], flags: RecipientFlags) => {
      const checked = inFlags(() => ids.map(checkNoticeId));
      const stats = await withKnowledge(flags, ({ knowledge }) => knowledge.notices.reach.read(checked));
      for (const [i, { seen, read }] of stats.entries()) {
        const id = checked[i]!;
        if (flags.json) print(JSON.stringify({ id, seen, read }));
        else print(`${printableOnOneLine(id)}: seen by about ${seen}, read by about ${read}.`);
      }
    });
}

function addGroup(notices: Command): void {
  addNamespaceOptions(
    notices
      .command('group')
      .description('say how those who meet a group begin to see its list')
      .argument('<group>', 'the group'),
  )
    .requiredOption('--join <from>', '"all": the whole list (default), or "now": what is published from then on')
    .action(async (group: string, flags: NamespaceFlags & { readonly join: string }) => {
      const { join } = flags;
      if (join !== 'all' && join !== 'now') throw new UsageError(`--join ${join} cannot be used: give all or now.`);
      const name = inFlags(() => checkGroupName(group));
      await withKnowledge(flags, ({ knowledge }) => knowledge.notices.lists.setJoining({ kind: 'group', name }, join));
      print(
        `Who meets the group ${name} sees ${join === 'all' ? 'the whole list' : 'what is published from then on'}.`,
      );
    });
}

function addRecipients(command: Command): Command {
  return addOwner(command)
    .option('--group <group>', 'all who belong to a group')
    .option('--segment <segment>', 'all for whom a segment holds');
}

function addOwner(command: Command): Command {
  return addNamespaceOptions(command)
    .option('--person <user id>', 'one person')
    .option('--session <id>', 'one session, by its public id')
    .option('--json', 'print the result as JSON');
}

function addContent(command: Command): Command {
  return command
    .option('--title <title>', 'a title')
    .option('--severity <severity>', NOTICE_SEVERITIES.join(', '))
    .option('--data <json>', 'further fields for the page, as a JSON object')
    .option('--publish-at <time>', 'from when on it is shown: ISO 8601, for instance 2027-01-31T09:00:00Z')
    .option('--expires-at <time>', 'from when on it is shown no more');
}

function contentOf({ text, title, severity, data, publishAt, expiresAt }: ContentFlags): Record<string, unknown> {
  return {
    ...(text !== undefined && { text }),
    ...(title !== undefined && { title }),
    ...(severity !== undefined && { severity }),
    ...(data !== undefined && { data: parseData(data) }),
    ...(publishAt !== undefined && { publishAt: parseTime('--publish-at', publishAt) }),
    ...(expiresAt !== undefined && { expiresAt: parseTime('--expires-at', expiresAt) }),
  };
}

function recipientOf({ group, segment, person, session }: RecipientFlags): NoticeAudience {
  const given = [group, segment, person, session].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError('Give one of --group, --segment, --person and --session.');
  if (group !== undefined) return checkAudience({ group });
  if (segment !== undefined) return checkAudience({ segment });
  return checkAudience({ subject: person === undefined ? session : personOf(checkUserId(person)) });
}

function ownerOf({ person, session }: RecipientFlags): { to?: { subject: string | undefined } } {
  if (person === undefined && session === undefined) return {};
  if (person !== undefined && session !== undefined) throw new UsageError('Give --person or --session, not both.');
  return { to: { subject: person === undefined ? session : personOf(checkUserId(person)) } };
}

function inFlags<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof RangeError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

function withKnowledge<Result>(
  flags: NamespaceFlags,
  work: (opened: { readonly knowledge: Knowledge }) => Promise<Result>,
): Promise<Result> {
  return withNamespace(flags, async (opened) => {
    try {
      return await work(opened);
    } catch (error) {
      if (error instanceof NoticeRefusedError) throw new UsageError(error.message, { cause: error });
      throw error;
    }
  });
}

function parseData(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UsageError('--data is no JSON object: write for instance {"link":"/sale"}.');
  }
}

function parseTime(flag: string, text: string): number {
  const at = Date.parse(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && Number.isFinite(at)) return at;
  throw new UsageError(`${flag} ${text} cannot be used: write a time as 2027-01-31T09:00:00Z.`);
}

function tell(flags: RecipientFlags, id: string, lists: number, done: string): void {
  if (flags.json) print(JSON.stringify({ id, lists }));
  else if (lists === 0) print(`"${id}" stands nowhere: nothing changed.`);
  else print(`${done} "${id}" in ${lists} ${lists === 1 ? 'list' : 'lists'}.`);
}

function inWords({ group, segment, person }: RecipientFlags): string {
  if (group !== undefined) return `the group ${group}`;
  if (segment !== undefined) return `the segment ${segment}`;
  return person === undefined ? 'the session' : 'the person';
}

function line({ id, title, text, at, expiresAt }: ListedNotice): string {
  const until = expiresAt === undefined ? '' : ` until ${iso(expiresAt)}`;
  return printableOnOneLine(`${id}  from ${iso(at)}${until}  ${title === undefined ? '' : `${title}: `}${text}`);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
