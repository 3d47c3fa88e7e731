import { normalizeItem } from '../protocol/index.ts';
import { closestName, excerpt } from '../protocol/internal/index.ts';
import type { ClusterPatterns } from './rules.ts';

/* clusters.ts: which clusters a page belongs to. A cluster is a set of paths, as the paper's "has visited a cluster of
 * pages". */

/** The most clusters of a service. */
export const MAX_CLUSTERS = 200;
/** The most patterns of one cluster. */
export const MAX_PATTERNS = 20;
/** The most clusters of one page: each is a fact of the visitor. */
export const MAX_CLUSTERS_OF_PAGE = 10;
const MAX_PATTERN_CHARACTERS = 256;

/** Checks clusters. Returns a copy.
 *  @throws RangeError that names the cluster and the pattern. */
export function checkClusters(given: unknown): ClusterPatterns {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RangeError(
      `clusters (${excerpt(given)}) cannot be used: give an object of names and patterns, as {"tv":["/tv/*"]}.`,
    );
  }
  const clusters = Object.entries(given as Readonly<Record<string, unknown>>);
  if (clusters.length > MAX_CLUSTERS) {
    throw new RangeError(`clusters: there are ${clusters.length}, and a service has at most ${MAX_CLUSTERS}.`);
  }
  return Object.fromEntries(clusters.map(([name, patterns]) => [checkName(name), checkPatterns(name, patterns)]));
}

function checkName(name: string): string {
  if (name !== '' && name.length <= 128 && !/[\p{Cc}\p{Cs}]/u.test(name)) return name;
  throw new RangeError(`clusters: ${excerpt(name)} is no name: give 1 to 128 characters, without control characters.`);
}

function checkPatterns(name: string, patterns: unknown): string[] {
  if (!Array.isArray(patterns) || patterns.length === 0 || patterns.length > MAX_PATTERNS) {
    throw new RangeError(`clusters.${name} cannot be used: give an array of 1 to ${MAX_PATTERNS} patterns.`);
  }
  patterns.forEach((pattern, i) => void matcherOf(pattern, `clusters.${name}[${i}]`));
  return patterns.slice();
}

/** Proposes a name that is meant by another one, as the end of a sentence. */
export function meantName(name: string, known: readonly string[]): string {
  const meant = closestName(name, known);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  return known.length === 0 ? 'there is none.' : `known are ${known.slice(0, 20).join(', ')}.`;
}

/** Finds the clusters of pages. */
export class PageClusters {
  readonly #clusters: readonly { readonly name: string; readonly matchers: readonly Matcher[] }[];

  /** `patterns`: as `checkClusters` gives them. */
  constructor(patterns: ClusterPatterns) {
    this.#clusters = Object.entries(patterns).map(([name, given]) => ({
      name,
      matchers: given.map((pattern, i) => matcherOf(pattern, `clusters.${name}[${i}]`)),
    }));
  }

  /** The names of a page's clusters, at most 10, in their order. It tries all patterns: keep what it returns. */
  of(page: string): string[] {
    if (!page.startsWith('/')) return [];
    const path = page.slice(1).split('/');
    return this.#clusters
      .filter(({ matchers }) => matchers.some((matches) => matches(path)))
      .slice(0, MAX_CLUSTERS_OF_PAGE)
      .map(({ name }) => name);
  }
}

/** Whether a pattern matches a path, given as its segments. */
type Matcher = (path: readonly string[]) => boolean;

// One `*` of a segment and two `**` of a pattern at most. Segment by segment and not as one regular expression: that tries
// each place of the first `**` with each of the second, and a visitor chooses the path.
function matcherOf(pattern: unknown, where: string): Matcher {
  if (typeof pattern !== 'string' || !pattern.startsWith('/') || pattern.length > MAX_PATTERN_CHARACTERS) {
    throw new RangeError(
      `${where} is no pattern: give a path of at most ${MAX_PATTERN_CHARACTERS} characters, as "/tv/*".`,
    );
  }
  const segments = pathOf(pattern, where).slice(1).split('/');
  const parts: Segment[][] = [[]];
  for (const segment of segments) {
    if (segment === '**') parts.push([]);
    else parts.at(-1)!.push(segmentOf(segment, where));
  }
  if (parts.length > 3) throw new RangeError(`${where} has more than two "**": give several patterns.`);
  const [first = [], ...others] = parts;
  const last = others.pop();
  if (!last) return (path) => path.length === first.length && stands(first, path, 0);
  const [middle = []] = others;
  return (path) => {
    const end = path.length - last.length;
    if (first.length > end || !stands(first, path, 0) || !stands(last, path, end)) return false;
    for (let at = first.length; at + middle.length <= end; at += 1) if (stands(middle, path, at)) return true;
    return false;
  };
}

// As the paths of pages are: `/café` is `/caf%C3%A9` there.
function pathOf(pattern: string, where: string): string {
  if (/[?#]/.test(pattern)) {
    throw new RangeError(`${where} has a "?" or "#", and a path has neither: "*" stands for any characters.`);
  }
  try {
    return normalizeItem(pattern);
  } catch (error) {
    throw new RangeError(`${where} is no pattern: ${(error as Error).message}`);
  }
}

/** A segment of a pattern: what stands before its `*` and behind it; one without is `whole`. */
type Segment = { readonly whole: string } | { readonly before: string; readonly behind: string };

function segmentOf(segment: string, where: string): Segment {
  const [before = '', behind, another] = segment.split('*');
  if (another !== undefined) {
    throw new RangeError(`${where}: a segment has at most one "*", or is "**": "${segment}" cannot be used.`);
  }
  return behind === undefined ? { whole: before } : { before, behind };
}

/** Whether segments of a pattern stand at this place of a path, which has so many. */
function stands(segments: readonly Segment[], path: readonly string[], at: number): boolean {
  return segments.every((segment, i) => {
    const given = path[at + i]!;
    if ('whole' in segment) return given === segment.whole;
    const { before, behind } = segment;
    return given.length >= before.length + behind.length && given.startsWith(before) && given.endsWith(behind);
  });
}
