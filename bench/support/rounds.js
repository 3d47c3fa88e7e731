/** Does `measure(row, side)` for each row and each of its `sides`, `rounds` times. The sides of a row follow each other at
 *  once, each round in another order, so that what else the machine does meets all of them. Returns, per row, a list of
 *  rounds: { [side]: what measure returned }. */
export async function interleave({ rows, rounds, measure }) {
  const found = rows.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, row] of rows.entries()) {
      const first = round % row.sides.length;
      const figures = {};
      for (const side of [...row.sides.slice(first), ...row.sides.slice(0, first)]) {
        figures[side] = await measure(row, side);
      }
      found[i].push(figures);
    }
  }
  return found;
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
