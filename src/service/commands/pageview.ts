import type { SubjectReading, Visit } from '../../knowledge/index.ts';
import { normalizeItem, type PageviewReply, ProtocolError } from '../../protocol/index.ts';
import { checkItem, checkOnce, checkTime, decodePayload, excerpt, isObject } from '../../protocol/internal/index.ts';
import type { Apply } from '../../redis/index.ts';
import { type CommandContext, type Handler, makeHandler } from './handler.ts';

interface PageView {
  readonly page: string;
  readonly at?: number | undefined;
  readonly once?: string | undefined;
}

const EXPECTED = 'a path, a URL, or {"path":"/p","at":<epoch ms>}';

/** Records a page view and answers what the visit was like before it. */
export const pageview: Handler<'pageview'> = makeHandler({
  parse: (payload): PageView => {
    if (payload === '') throw new ProtocolError('bad-payload', `The payload is empty: give ${EXPECTED}.`);
    if (typeof payload === 'string' && !payload.startsWith('{')) return { page: normalizeItem(payload) };
    const value = decodePayload(payload, EXPECTED);
    if (!isObject(value)) {
      throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} is no page: give ${EXPECTED}.`);
    }
    const { path, at, once } = value;
    return {
      page: checkItem(path),
      at: at === undefined ? undefined : checkTime(at),
      once: once === undefined ? undefined : checkOnce(once),
    };
  },
  run: async (context, reading, view, apply) => {
    const { subject } = reading;
    const { once } = view;
    if (once === undefined) return record(context, reading, view, apply);
    if (!context.views.begin(subject, once)) {
      const visit = await reading.visit(context.knowledge.now());
      const { totalPages, uniquePages } = visit;
      return { totalPages, uniquePages, previouslyVisited: true, ...describeActivity(visit, false) };
    }
    try {
      return await record(context, reading, view, apply);
    } catch (error) {
      context.views.forget(subject, once);
      throw error;
    }
  },
});

async function record(context: CommandContext, reading: SubjectReading, { page, at }: PageView, apply: Apply) {
  const { knowledge, rules, acceptTimes } = context;
  if (at !== undefined && !acceptTimes) context.timeIgnored();
  const hash = knowledge.items.of('page', page);
  const clusters = rules.current.clustersOf(page);
  const details = { at: acceptTimes ? at : undefined, clusters };
  const visit = await knowledge.recordView(reading.subject, hash, details, apply);
  const { totalPages, uniquePages, previouslyVisited, clusterCounts } = visit;
  context.suggestions.counted(reading, {
    isView: true,
    seen: { kind: 'page', items: previouslyVisited ? [] : [hash] },
    facts: clusters.map((name, i) => ({ name, added: 1, count: clusterCounts[i] ?? 0 })),
  });
  if (!previouslyVisited) context.livePairs?.saw(reading.subject, 'page', hash);
  const activity = describeActivity(visit, totalPages <= 1);
  const { newToSite: isFresh, inactive: isBack } = activity;
  context.site.viewed(reading.subject, { page: hash, clusters, isFresh, isBack });
  return { totalPages, uniquePages, previouslyVisited, ...activity };
}

/** Describes a visit's minutes in the fields of the protocol. */
export function describeActivity(
  { lastMinutes, thisMinute }: Pick<Visit, 'lastMinutes' | 'thisMinute'>,
  newToSite: boolean,
): Pick<PageviewReply, 'activityThisMinute' | 'activity' | 'newToSite' | 'inactive'> {
  return {
    activityThisMinute: thisMinute,
    activity: lastMinutes.map((active) => (active ? 1 : 0)),
    newToSite,
    inactive: !newToSite && !thisMinute && !lastMinutes.includes(true),
  };
}
