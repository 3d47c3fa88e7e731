import { median } from '../support/rounds.js';
import { rounded } from './rows.js';

/** Looks figures of results up. Each throws where there is none: a table must not show a gap. */
export class Figures {
  constructor(results) {
    this.results = results;
    this.rows = new Map(results.rows.map((row) => [row.id, row]));
  }

  row(id) {
    return found(this.rows.get(id), `row ${id}`);
  }

  /** Rows whose id begins so, in their order. */
  rowsOf(prefix) {
    const rows = this.results.rows.filter(({ id }) => id.startsWith(prefix));
    return rows.length > 0 ? rows : found(undefined, `row ${prefix}...`);
  }

  median(id, side, figure) {
    return found(this.row(id).medians[side]?.[figure], `${figure} of ${side} in ${id}`);
  }

  /** To the side that the row compares with: the median of the rounds' ratios. */
  ratio(id, side, figure) {
    const row = this.row(id);
    if (side === row.against) return 1;
    return found(row.ratios?.[side]?.[figure], `ratio of ${figure} of ${side} in ${id}`);
  }

  /** Between two rows of one side, round by round. */
  ratioOfRows(id, other, side, figure) {
    const [rounds, others] = [this.row(id).rounds, this.row(other).rounds];
    return rounded(median(rounds.map((round, i) => round[side][figure] / others[i][side][figure])));
  }
}

function found(value, name) {
  if (value === undefined) throw new Error(`These results have no ${name}.`);
  return value;
}
