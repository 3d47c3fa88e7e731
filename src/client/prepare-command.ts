import {
  type CanonicalCommand,
  type CommandMap,
  type CommandName,
  canonicalCommand,
  isCommandName,
  isKnownCommand,
  isPageItem,
  isPerson,
  isSession,
  normalizeItem,
  type PageviewPayload,
  ProtocolError,
  type SegmentsQuery,
  type SuggestionsQuery,
} from '../protocol/index.ts';
import {
  checkItem,
  checkList,
  checkNoticeId,
  checkOnce,
  checkPayloadSize,
  checkRefusedRobots,
  checkSegmentsQuery,
  checkSuggestionsMark,
  checkSuggestionsQuery,
  checkTime,
  checkTrack,
  decodePayload,
  excerpt,
  isObject,
  parseJson,
  payloadOfQuery,
} from '../protocol/internal/index.ts';
import { PREPARE_NOTICES } from './prepare-notices.ts';
import type { PreparedCommand } from './prepared-command.ts';
import {
  checkActive,
  checkAnalytics,
  checkAnalyticsOfPage,
  checkExplainedSuggestions,
  checkIdentify,
  checkPageview,
  checkRobotsTold,
  checkSegments,
  checkSuggestions,
  checkSuggestionsMarked,
  checkTracked,
  malformed,
} from './reply-forms.ts';
import { readParts, togetherText } from './together.ts';

/* prepare-command.ts: what of a command leaves the process, and how its reply is read.
 *
 * A query can hold a secret (`/reset?token=...`), and what passes through Redis can stay there. So pages are reduced to
 * their paths here, and of a notice only its id is sent; the reply is put together again with what the caller gave. What
 * the service would refuse is refused here, by the same checks. */

type Prepare<C extends CommandName> = (payload: CommandMap[C]['payload']) => PreparedCommand<CommandMap[C]['reply']>;

const NOT_READABLE = 'This payload cannot be written as JSON: give a string or plain data.';

/** Prepares a command.
 *  @throws ProtocolError `bad-payload` or `too-large`: it must not be sent. */
export function prepareCommand<C extends CommandName>(
  command: C,
  payload: CommandMap[C]['payload'],
): PreparedCommand<CommandMap[C]['reply']> {
  let prepared: PreparedCommand<CommandMap[C]['reply']>;
  try {
    prepared = isKnownCommand(command) ? preparing(command)(payload) : prepareUnknown(command, payload);
  } catch (error) {
    // A getter of the caller's, a circle, a BigInt.
    throw error instanceof ProtocolError ? error : new ProtocolError('bad-payload', NOT_READABLE, { cause: error });
  }
  checkPayloadSize(prepared.text);
  return prepared;
}

/** Prepares a command, and returns the error where it must not be sent. */
export function prepareOrRefuse<C extends CommandName>(
  command: C,
  payload: CommandMap[C]['payload'],
): PreparedCommand<CommandMap[C]['reply']> | ProtocolError {
  try {
    return prepareCommand(command, payload);
  } catch (error) {
    return error as ProtocolError;
  }
}

function prepareSurface(payload: unknown): PreparedCommand<string[]> {
  const value = decodePayload(payload, ITEMS);
  const query: Record<string, unknown> = isObject(value) ? value : { items: value };
  const given = checkList(query.items, ITEMS).slice() as string[];
  const sent = given.map(checkItem);
  // Left out here: it need not travel, and a service of another version need not know it.
  const here = query.here === undefined ? undefined : checkItem(query.here);
  return {
    text: JSON.stringify(sent),
    isJson: true,
    items: sent.length,
    read: (reply) => {
      if (!Array.isArray(reply)) throw malformed('no array');
      const fresh = new Set(reply);
      for (const item of sent) fresh.delete(item);
      if (fresh.size > 0) throw malformed('it has what was not asked about');
      const kept = new Set(reply);
      return given.filter((_, i) => kept.has(sent[i]) && sent[i] !== here);
    },
  };
}

const PREPARE: { readonly [C in CanonicalCommand]: Prepare<C> } = {
  pageview: (payload) => ({ text: pageviewText(payload), read: checkPageview }),
  'session-analytics': (payload) => {
    if (payload === '') return { text: '', read: checkAnalytics };
    const value = decodePayload(payload, FIGURES);
    if (!isObject(value) || value.here === undefined) {
      throw new ProtocolError('bad-payload', `This payload names no page: give ${FIGURES}.`);
    }
    return { text: JSON.stringify({ here: checkItem(value.here) }), isJson: true, read: checkAnalyticsOfPage };
  },
  active: (payload) => {
    if (payload === '') return { text: '', read: checkActive };
    const value = decodePayload(payload, TIME);
    if (!isObject(value) || value.at === undefined) {
      throw new ProtocolError('bad-payload', `This payload is no time: give ${TIME}.`);
    }
    return { text: JSON.stringify({ at: checkTime(value.at) }), isJson: true, read: checkActive };
  },
  combo: (payload) => {
    const isText = typeof payload === 'string' && !payload.startsWith('{');
    const query = checkSuggestionsQuery(isText ? payload : decodePayload(payload, RULES));
    const read = query.explain ? checkExplainedSuggestions : checkSuggestions;
    return { ...asPayload(query), items: query.groups?.length ?? 0, read };
  },
  segments: (payload) => {
    const query = checkSegmentsQuery(payload === '' ? '' : decodePayload(payload, SEGMENTS));
    const { names, groups = [] } = query;
    const items = (names?.length ?? 0) + groups.length;
    return { ...asPayload(query), items, read: (reply) => checkSegments(reply, names) };
  },
  surface: prepareSurface,
  notifications: (payload) => {
    const given = checkList(decodePayload(payload, NOTICES), NOTICES).map((notice) =>
      isObject(notice) ? notice : { id: notice },
    ) as { id: string | number }[];
    const sent = given.map(({ id }) => reducedId(id));
    return {
      text: JSON.stringify(sent),
      isJson: true,
      items: sent.length,
      read: (reply) => {
        if (!Array.isArray(reply) || reply.length !== sent.length) throw malformed('not an answer for each notice');
        return reply.map((answer, i) => {
          if (!isObject(answer) || answer.id !== sent[i] || typeof answer.seen !== 'boolean') {
            throw malformed('it lacks whether a notice was seen');
          }
          return { ...given[i]!, seen: answer.seen };
        });
      },
    };
  },
  ...PREPARE_NOTICES,
  'mark-notification-seen': (payload) => {
    const given = oneOrMany(payload, 'an id, or a JSON array of ids').slice() as (string | number)[];
    const sent = given.map(reducedId);
    return { text: textOfList(payload, sent), read: echo(sent, given) };
  },
  'mark-item-seen': (payload) => {
    const sent = oneOrMany(payload, 'an item, or a JSON array of items').map(checkItem);
    return { text: textOfList(payload, sent), read: echo(sent, sent) };
  },
  track: (payload) => {
    const event = checkTrack(decodePayload(payload, EVENT));
    return { text: JSON.stringify(event), isJson: true, read: (reply) => checkTracked(reply, event.event) };
  },
  'mark-suggestions': (payload) => {
    const mark = checkSuggestionsMark(decodePayload(payload, MARK));
    return { text: JSON.stringify(mark), isJson: true, read: (reply) => checkSuggestionsMarked(reply, mark) };
  },
  robots: (payload) => {
    const told = checkRefusedRobots(decodePayload(payload, '{"refused":n}'));
    return { text: JSON.stringify(told), isJson: true, read: (reply) => checkRobotsTold(reply, told) };
  },
  identify: (payload) => {
    if (typeof payload !== 'string' || !isSession(payload) || isPerson(payload)) {
      throw new ProtocolError('bad-payload', "Give the id of the session whose knowledge is the person's.");
    }
    return { text: payload, read: (reply) => checkIdentify(reply, payload) };
  },
  together: (payload) => {
    const parts = listOf(payload, 'a JSON array of [command, payload]').map((part) => {
      const [command, content] = listOf(part, 'a part as [command, payload]') as [CommandName, never];
      return { command, prepared: prepareCommand(command, content) };
    });
    const read = (reply: unknown): unknown[] => readParts(reply, parts.length);
    return { text: togetherText(parts), isJson: true, read };
  },
};

// An alias has the types of its command.
function preparing<C extends CommandName>(command: C): Prepare<C> {
  return PREPARE[canonicalCommand(command)] as unknown as Prepare<C>;
}

const ITEMS = 'a JSON array of items, or {"items":[...],"here":"/p"}';
const NOTICES = 'a JSON array of ids or {"id"}';
const FIGURES = 'nothing, or {"here":"/p"}';
const RULES = '"", a name, or {"name":"...","explain":true}';
const SEGMENTS = '"", or {"names":["..."]}';
const EVENT = '{"event":"added-to-cart","count":1,"items":["/tv"]}';
const MARK = '{"rules":["name"],"as":"shown"}';
const TIME = 'nothing, or {"at":<epoch ms>}';
const PAGE = 'a path, a URL, or {"path":"/p","at":<epoch ms>}';

function pageviewText(payload: PageviewPayload): string {
  if (typeof payload === 'string' && !payload.startsWith('{')) return normalizeItem(payload);
  const value = typeof payload === 'string' ? parseJson(payload, PAGE) : (payload as unknown);
  if (!isObject(value)) throw new ProtocolError('bad-payload', `This payload is no page: give ${PAGE}.`);
  const { path, at, once } = value;
  return JSON.stringify({
    path: checkItem(path),
    at: at === undefined ? undefined : checkTime(at),
    once: once === undefined ? undefined : checkOnce(once),
  });
}

function asPayload(query: SuggestionsQuery | SegmentsQuery): Pick<PreparedCommand<never>, 'text' | 'isJson'> {
  const text = payloadOfQuery(query);
  return { text, isJson: text.startsWith('{') };
}

// A version of the service that is newer than this client may know it. What is no name must not get into a channel's: a
// colon would begin another session.
function prepareUnknown(command: unknown, payload: unknown): PreparedCommand<never> {
  if (typeof command !== 'string' || !isCommandName(command)) {
    throw new ProtocolError('bad-payload', `${excerpt(command)} is no name of a command.`);
  }
  const text =
    typeof payload === 'string'
      ? reduce(payload)
      : JSON.stringify(payload, (_, value) => (typeof value === 'string' ? reduce(value) : value));
  if (text === undefined) throw new ProtocolError('bad-payload', NOT_READABLE);
  return { text, read: (reply) => reply as never };
}

function reduce(text: string): string {
  return isPageItem(text) ? normalizeItem(text) : text;
}

function reducedId(id: unknown): string | number {
  const reduced = checkNoticeId(id);
  return typeof id === 'number' ? id : reduced;
}

function listOf(payload: unknown, expected: string): unknown[] {
  return checkList(decodePayload(payload, expected), expected);
}

// As on the wire: a text that begins with `[` is JSON.
function oneOrMany(payload: unknown, expected: string): unknown[] {
  if (typeof payload === 'number') return [String(payload)];
  return typeof payload === 'string' && !payload.startsWith('[') ? [payload] : listOf(payload, expected);
}

function textOfList(payload: unknown, sent: readonly (string | number)[]): string {
  const isBare = typeof payload === 'number' || (typeof payload === 'string' && !payload.startsWith('['));
  return isBare ? String(sent[0]) : JSON.stringify(sent);
}

// Checks that the reply repeats the sent ids, and returns them in the form in which the caller gave them.
function echo<Id>(sent: readonly (string | number)[], given: Id[]): (reply: unknown) => Id[] {
  return (reply) => {
    if (Array.isArray(reply) && reply.length === sent.length && reply.every((each, i) => each === sent[i]))
      return given;
    throw malformed('it does not say what was marked');
  };
}
