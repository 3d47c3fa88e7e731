import { describe, expect, it } from 'vitest';
import { TurnBudget } from '../../src/async/index.ts';

/** Which of works of these costs began in each turn of the event loop. */
async function turnsOf(perTurn: number, costs: readonly number[]): Promise<number[][]> {
  const budget = new TurnBudget(perTurn);
  const turns: number[][] = [];
  let begun: number[] = [];
  let isOver = false;
  // Scheduled before the budget's own: it looks at a turn before the next one's work begins.
  const look = (): void => {
    turns.push(begun);
    begun = [];
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await Promise.all(costs.map((cost) => budget.take(cost).then(() => begun.push(cost))));
  isOver = true;
  return [...turns, begun].filter((turn) => turn.length > 0);
}

describe('work that is spread over turns of the event loop', () => {
  it('begins in its order, in each turn as much as there is room for', async () => {
    expect(await turnsOf(10, [4, 6, 1, 9, 3, 3, 3, 3])).toEqual([[4, 6], [1, 9], [3, 3, 3], [3]]);
  });

  it('has a turn for itself where it is larger than a turn’s', async () => {
    expect(await turnsOf(10, [25, 1, 30, 30])).toEqual([[25], [1], [30], [30]]);
  });

  it('has room again in a later turn', async () => {
    const budget = new TurnBudget(1);
    for (let i = 0; i < 3; i += 1) {
      await budget.take(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
