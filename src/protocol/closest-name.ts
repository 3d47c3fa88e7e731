/** Returns the candidate that a mistyped name most likely means, for "did you mean". Undefined where none is close: at
 *  most one mistake (a letter added, missing, wrong, or swapped with its neighbour) for each three letters of the name,
 *  at least one. Upper and lower case, `-` and `_` do not count. Of two that are equally close the first is returned. */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  // Skips long names: they are no typing mistakes, and the distance costs the product of both lengths.
  if (name.length > 100) return undefined;
  const wanted = plain(name);
  let closest: string | undefined;
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const mistakes = distance(wanted, plain(candidate));
    if (mistakes < fewest && mistakes < candidate.length) [closest, fewest] = [candidate, mistakes];
  }
  return closest;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

// Optimal string alignment: Levenshtein's distance, in which two neighbours that changed places are one mistake.
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1);
      }
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length]!;
}
