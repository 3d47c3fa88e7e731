import { type ListName, MINUTE_MS } from '../../knowledge/index.ts';
import { isPerson } from '../../protocol/index.ts';
import { checkGroupName } from '../../protocol/internal/index.ts';
import { readRecordState } from '../../sessions/maintenance/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { type ConfiguredRules, configuredRulesOf } from '../rules/configured-rules.ts';
import { endSession } from '../subject/end-session.ts';
import { checkSubjectId, findSubject, type WantedSubject } from '../subject/find-subject.ts';
import { foundPeopleOf } from '../subject/found-people.ts';
import { probe } from '../subject/probe.ts';
import { readActivity } from '../subject/read-activity.ts';
import { readCounters } from '../subject/read-counters.ts';
import { readDevices } from '../subject/read-devices.ts';
import { readExplanation } from '../subject/read-explanation.ts';
import { readNotices } from '../subject/read-notices.ts';
import type { SubjectData } from '../subject/subject-data.ts';
import type { DashboardAction, DashboardView } from '../view.ts';

const MOST_GROUPS = 20;

/** Looks for a session or a person. A person is asked about by the user id, which may be a mail address: so it comes in the body
 *  of a request, stands in no URL and no log, and is answered by the person's id. */
const find: DashboardAction<WantedSubject> = {
  role: 'viewer',
  onlyLooks: true,
  parse: findSubject,
  describe: ({ subject }) => ({ subject }),
  run: async (store, { subject, user }) => {
    if (user !== undefined) foundPeopleOf(store).note(subject, user);
    return { subject };
  },
};

/** All that is known of one session or person. `id`: of which; `group`: groups to which it belongs, which no store knows. */
export const subjectView: DashboardView<SubjectData> = {
  name: 'subject',
  title: 'Subject',
  everyMs: 5_000,
  read: async (store, query) => {
    const id = query.get('id');
    if (id === null || id === '') return { subject: null, now: store.namespace.now() };
    return readSubject(store, checkSubjectId(id), groupsIn(query));
  },
  actions: { find, probe, 'end-session': endSession } as NonNullable<DashboardView['actions']>,
};

async function readSubject(store: DashboardStore, id: string, groups: readonly string[]): Promise<SubjectData> {
  const { redis, keys, knowledge } = store.namespace;
  const now = store.namespace.now();
  const subject = knowledge.read(id);
  const { known, rulesProblem } = rulesOf(configuredRulesOf(store));
  const lists: ListName[] = [
    ...groups.map((name) => ({ kind: 'group' as const, name })),
    ...Object.keys(known?.rules.segments ?? {}).map((name) => ({ kind: 'segment' as const, name })),
  ];
  const [isKnown, record, ttl, visit, items, lastView, totals] = await Promise.all([
    subject.isKnown(),
    isPerson(id) ? null : readRecordState(redis, keys.record(id)),
    redis.command<number>('TTL', keys.subject(subject.subject)),
    subject.visit(now),
    subject.count('item'),
    subject.lastActiveMinute(),
    subject.totals(),
  ]);
  const [days, counters, explained, noticed, devices] = await Promise.all([
    readActivity(subject, now),
    readCounters(subject, knowledge.items, known),
    known ? readExplanation(known.served, subject, now, groups) : null,
    readNotices(knowledge, subject, await listsWithNotices(store, lists), now),
    readDevices(store, id),
  ]);
  return {
    subject: id,
    now: Math.floor(now / MINUTE_MS) * MINUTE_MS,
    found: {
      kind: isPerson(id) ? 'person' : 'session',
      isKnown,
      sessionState: record === 'present' ? 'living' : record === 'ended' ? 'ended' : record === null ? null : 'none',
      expiresInSeconds: ttl < 0 ? null : 60 * Math.ceil(ttl / 60),
      views: visit.totalPages,
      uniquePages: visit.uniquePages,
      uniquePagesExact: visit.uniquePagesExact,
      items: items.count,
      firstView: totals.firstView === undefined ? null : 1_000 * totals.firstView,
      lastView: lastView ?? null,
      activeMinutes: totals.activeMinutes,
      days,
      counters,
      suggestions: explained?.suggestions ?? null,
      segments: explained?.segments ?? null,
      rulesProblem,
      groups,
      ...noticed,
      devices,
    },
  };
}

// Of 200 segments mostly none has a notice.
async function listsWithNotices({ namespace }: DashboardStore, lists: readonly ListName[]): Promise<ListName[]> {
  const segments = lists.filter(({ kind }) => kind === 'segment').map(({ name }) => name);
  const having = segments.length === 0 ? [] : await namespace.knowledge.notices.lists.haveLists(segments);
  return lists.filter(({ kind, name }) => kind === 'group' || having.includes(name));
}

function rulesOf(configured: ConfiguredRules): {
  readonly known: ReturnType<ConfiguredRules['read']>;
  readonly rulesProblem: string | null;
} {
  try {
    const known = configured.read();
    if (known) return { known, rulesProblem: null };
    return {
      known,
      rulesProblem: 'The dashboard does not know the rules: start it with the configuration of the service.',
    };
  } catch (error) {
    return { known: undefined, rulesProblem: (error as Error).message };
  }
}

function groupsIn(query: URLSearchParams): string[] {
  const given = [...new Set(query.getAll('group').filter((group) => group !== ''))];
  if (given.length > MOST_GROUPS)
    throw new RangeError(`"group" is given ${given.length} times: at most ${MOST_GROUPS}.`);
  return given.map((group) => checkGroupName(group));
}
