/** Does `measure(row, subject)` for each row, `rounds` times. The subjects of a row follow each other at once, each
 *  round in another order, so that what else the machine does meets all of them. Returns, per row, a list of rounds:
 *  { [subject]: what measure returned }. */
export async function interleave({ rows, subjects, rounds, measure }) {
  const found = rows.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    const first = round % subjects.length;
    const order = [...subjects.slice(first), ...subjects.slice(0, first)];
    for (const [i, row] of rows.entries()) {
      const figures = {};
      for (const subject of order) figures[subject] = await measure(row, subject);
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
