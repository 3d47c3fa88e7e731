import type { Knowledge, SubjectReading } from '../../knowledge/index.ts';
import type { CanonicalCommand, CommandMap } from '../../protocol/index.ts';
import type { Apply } from '../../redis/index.ts';
import type { Listening } from '../listening.ts';
import type { LivePairs } from '../live-pairs.ts';
import type { NewSuggestions } from '../new-suggestions.ts';
import type { RecentViews } from '../recent-views.ts';
import type { ActiveRules } from '../rules/active-rules.ts';
import type { RuleCounting } from '../rules/rule-counting.ts';
import type { SiteCounting } from '../site-counting.ts';

/** Parts that a command may use. */
export interface CommandContext {
  readonly knowledge: Knowledge;
  /** Suggestions, segments and clusters of pages. */
  readonly rules: ActiveRules;
  /** Told of marks of suggestions, and of segments that hold. */
  readonly ruleCounting: RuleCounting;
  /** Whether pages listen. */
  readonly listening: Listening;
  /** Told of what is counted. */
  readonly suggestions: NewSuggestions;
  /** Whether `at` in a page view counts; else it is ignored and `timeIgnored` is called. */
  readonly acceptTimes: boolean;
  timeIgnored(): void;
  /** The views that named themselves, so that each counts once. */
  readonly views: RecentViews;
  /** Counts pairs of names that were seen; undefined where that is off. */
  readonly livePairs: LivePairs | undefined;
  /** Told of what is counted of the whole site. */
  readonly site: SiteCounting;
  /** Told of requests of robots. */
  robotsRefused(count: number): void;
  /** Counts a part of `together` that was served. */
  partServed(command: string): void;
  /** Counts a part of `together` that failed. Returns the error that is answered. */
  partFailed(command: string, error: unknown): unknown;
}

/** Serves one command. */
export interface Handler<Name extends CanonicalCommand, Input = unknown> {
  /** Reads a payload: the text that came or, in a part of `together`, a value that is decoded from JSON. Pure.
   *  @throws ProtocolError `bad-payload` or `too-large`. */
  parse(payload: unknown): Input;
  /** How many items, ids and groups the payload has. */
  items(input: Input): number;
  /** Does the command and answers. All its writes are one step, which `apply` does: by itself, or together with the
   *  transport's own note that the request is done. `subject`: reads the subject's record once, when the first question
   *  needs it; all parts of a `together` share one. */
  run(context: CommandContext, subject: SubjectReading, input: Input, apply: Apply): Promise<CommandMap[Name]['reply']>;
}

/** Makes a handler, and hides the form of what it parses. `items` is 0 unless given. */
export function makeHandler<Name extends CanonicalCommand, Input>({
  parse,
  items = () => 0,
  run,
}: Pick<Handler<Name, Input>, 'parse' | 'run'> & Partial<Handler<Name, Input>>): Handler<Name> {
  return { parse, items, run } as Handler<Name>;
}
