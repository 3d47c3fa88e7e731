import { excerpt } from './item.ts';
import { MAX_ITEMS } from './limits.ts';
import { checkFields, checkGroupName, checkGroups, checkObject } from './notice.ts';
import { checkItem } from './payload.ts';
import { ProtocolError } from './protocol-error.ts';
import { checkRuleName } from './track.ts';

/* suggestion.ts: what is asked about rules, and how it is answered. */

/** A suggestion that holds now. */
export interface Suggestion {
  /** The name of its rule. */
  rule: string;
  suggest: string;
  /** The seen items, the events (with their items) and the clusters that made it hold. */
  because: string[];
  reason: string;
}

/** Why a condition holds or does not: the condition, with explanations in place of the conditions within it. */
export interface Explanation {
  holds: boolean;
  /** In words, by how much: `viewed 2 of 3 pages of /tv/*`. */
  text: string;
  all?: Explanation[];
  any?: Explanation[];
  not?: Explanation;
  seen?: string;
  event?: string;
  item?: string;
  cluster?: string;
  views?: number;
  uniquePages?: number;
  activeMinutes?: number;
  newToSite?: true;
  inactive?: true;
  returning?: true;
  daysSinceFirstView?: number;
  identified?: true;
  group?: string;
  segment?: string;
  /** How much is needed. Of conditions that count only. */
  atLeast?: number;
  withinDays?: number;
  /** How much there is. Of conditions that count only. */
  count?: number;
}

/** Why a suggestion is made, or is not. */
export interface ExplainedRule {
  rule: string;
  /** Whether its condition holds. */
  holds: boolean;
  /** Whether it is suggested: it holds, and nothing of `show`, `cooldown` or a dismissal keeps it away. */
  shown: boolean;
  /** Why it is not shown although it holds. */
  hidden?: string;
  explanation: Explanation;
}

/** The answer to `combo` with explanations. */
export interface ExplainedSuggestions {
  suggestions: Suggestion[];
  /** All rules that were asked about, those that do not hold too. */
  rules: ExplainedRule[];
  /** The segments that they ask about, each once. */
  segments: Record<string, Explanation>;
}

/** What is asked about segments, and about suggestions. */
export interface SegmentsQuery {
  /** The segments. Default: all. */
  readonly names?: readonly string[];
  /** The groups to which the visitor belongs, at most 100. */
  readonly groups?: readonly string[];
  /** The page that is being rendered, whose view does not count yet. */
  readonly here?: string;
}

/** What is asked about suggestions. */
export interface SuggestionsQuery extends Omit<SegmentsQuery, 'names'> {
  /** The rule. Default: all. */
  readonly name?: string;
  readonly explain?: boolean;
}

const SUGGESTIONS = '"", a name, or {"name":"...","explain":true,"here":"/p","groups":["..."]}';
const SEGMENTS = '"", or {"names":["..."],"here":"/p","groups":["..."]}';

/** Checks the payload of `combo`, decoded.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export function checkSuggestionsQuery(value: unknown): SuggestionsQuery {
  if (value === '') return {};
  if (typeof value === 'string') return { name: value };
  const given = checkObject(value, SUGGESTIONS);
  checkFields(given, ['name', 'explain', 'here', 'groups']);
  const { name, explain, ...common } = given;
  if (explain !== undefined && typeof explain !== 'boolean') {
    throw new ProtocolError('bad-payload', `"explain" is ${excerpt(explain)}: give true or false.`);
  }
  return {
    ...(name !== undefined && { name: checkRuleName(name) }),
    ...(explain && { explain }),
    ...checkCommon(common),
  };
}

/** Checks the payload of `segments`, decoded.
 *  @throws ProtocolError `bad-payload` or `too-large`. */
export function checkSegmentsQuery(value: unknown): SegmentsQuery {
  if (value === '') return {};
  const given = checkObject(value, SEGMENTS);
  checkFields(given, ['names', 'here', 'groups']);
  const { names, ...common } = given;
  return { ...(names !== undefined && { names: checkNames(names) }), ...checkCommon(common) };
}

/** The payload that says the same: empty where nothing is asked but all. */
export function payloadOfQuery(query: SuggestionsQuery | SegmentsQuery): string {
  const fields = Object.keys(query);
  if (fields.length === 0) return '';
  const { name } = query as SuggestionsQuery;
  return fields.length === 1 && name !== undefined && !name.startsWith('{') ? name : JSON.stringify(query);
}

function checkNames(names: unknown): string[] {
  if (!Array.isArray(names)) {
    throw new ProtocolError('bad-payload', `"names" is ${excerpt(names)}: give an array of segments.`);
  }
  if (names.length > MAX_ITEMS) {
    throw new ProtocolError('too-large', `"names" has ${names.length} names: give at most ${MAX_ITEMS}.`);
  }
  return [...new Set(names.map((name) => checkGroupName(name, 'segment')))];
}

function checkCommon({ here, groups }: Readonly<Record<string, unknown>>): Pick<SegmentsQuery, 'here' | 'groups'> {
  return {
    ...(here !== undefined && { here: checkItem(here) }),
    ...(groups !== undefined && { groups: checkGroups(groups) }),
  };
}
