import {
  checkGroup,
  type Knowledge,
  type ListedNotice,
  NOTICE_CAP,
  newestNotices,
  type SubjectReading,
} from '../../knowledge/index.ts';
import { type Notification, ProtocolError } from '../../protocol/index.ts';
import { checkList, checkNoticeId, decodePayload, excerpt, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

type Given = { readonly id: string | number; readonly [field: string]: unknown };
type Input = { readonly groups: string[]; readonly limit: number } | { readonly given: Given[] };

const EXPECTED = 'a JSON array of ids or {"id"}, or {"groups":[...],"limit":n}';
const DEFAULT_LIMIT = 50;
const MAX_GROUPS = 100;

/** Answers which notices this session has read: of the given ones, or of the lists that the store keeps. */
export const notifications: Handler<'notifications'> = makeHandler({
  parse: (payload) => {
    const value = decodePayload(payload, EXPECTED);
    if (isObject(value)) return parseQuery(value);
    return { given: checkList(value, EXPECTED).map(parseGiven) };
  },
  items: (input) => ('groups' in input ? input.groups : input.given).length,
  run: ({ knowledge }, subject, input) =>
    'groups' in input
      ? readGroups(knowledge, subject, input.groups, input.limit)
      : readGiven(knowledge, subject, input.given),
});

function parseQuery(value: { groups?: unknown; limit?: unknown }): Input {
  const { groups, limit = DEFAULT_LIMIT } = value;
  if (!Array.isArray(groups) || groups.length === 0 || groups.length > MAX_GROUPS) {
    throw new ProtocolError(
      'bad-payload',
      `"groups" is ${excerpt(groups)}: give an array of 1 to ${MAX_GROUPS} names.`,
    );
  }
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > NOTICE_CAP) {
    throw new ProtocolError(
      'bad-payload',
      `"limit" is ${excerpt(limit)}: give a whole number from 1 to ${NOTICE_CAP}.`,
    );
  }
  for (const group of groups) {
    try {
      checkGroup(group);
    } catch (error) {
      throw new ProtocolError('bad-payload', (error as Error).message, { cause: error });
    }
  }
  return { groups: [...new Set(groups as string[])], limit: limit as number };
}

function parseGiven(value: unknown): Given {
  const given: Record<string, unknown> = isObject(value) ? value : { id: value };
  checkNoticeId(given.id);
  return given as Given;
}

async function readGroups(
  knowledge: Knowledge,
  subject: SubjectReading,
  groups: string[],
  limit: number,
): Promise<Notification[]> {
  // Both are read at once; a notice that comes in between is above the ring's top, and so unread: never hidden.
  const [lists, isRead] = await Promise.all([
    Promise.all(groups.map((group) => knowledge.noticeLists.read(group, limit))),
    knowledge.readNotices.readOf(subject, knowledge.items.ofAll('group', groups)),
  ]);
  const newest = newestNotices(lists, limit);
  // The same id in several groups is one notice: it stands in the reply once, and is seen if any of its entries is.
  const byId = new Map<string, Notification>();
  const doubtful = new Set<string>();
  newest.forEach(({ position, data: extra, isElsewhere, ...notice }: ListedNotice) => {
    const seen = isRead(position);
    const earlier = byId.get(notice.id);
    if (isElsewhere && !seen) doubtful.add(notice.id);
    if (earlier) earlier.seen ||= seen;
    else byId.set(notice.id, { ...extra, ...notice, seen });
  });
  const unread = [...doubtful].filter((id) => byId.get(id)?.seen === false);
  const seenElsewhere = await areRead(knowledge, subject, unread);
  unread.forEach((id, i) => {
    byId.get(id)!.seen = seenElsewhere[i]!;
  });
  return [...byId.values()];
}

/** Whether notices were read in any of the lists that hold them. */
async function areRead(knowledge: Knowledge, subject: SubjectReading, ids: readonly string[]): Promise<boolean[]> {
  if (ids.length === 0) return [];
  const positions = await knowledge.noticeLists.locate(ids);
  const groups = [...new Set(positions.flat().map(({ group }) => group))];
  const isRead = await knowledge.readNotices.readOf(subject, groups);
  return positions.map((kept) => kept.some(isRead));
}

async function readGiven(knowledge: Knowledge, subject: SubjectReading, given: Given[]): Promise<Notification[]> {
  const ids = given.map(({ id }) => checkNoticeId(id));
  const positions = await knowledge.noticeLists.locate(ids);
  const groups = [...new Set(positions.flat().map(({ group }) => group))];
  const [foreign, isRead] = await Promise.all([
    knowledge.readNotices.hasForeign(subject, ids),
    knowledge.readNotices.readOf(subject, groups),
  ]);
  return given.map((notice, i) => {
    const kept = positions[i]!;
    // A kept notice is judged by its ring alone, in every form of this command.
    return { ...notice, seen: kept.length > 0 ? kept.some(isRead) : foreign[i] === true };
  });
}
