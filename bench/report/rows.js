import { median } from '../support/rounds.js';

/** A row of the results: each side's figures in each round, their medians, and ratios to the side `against` (the median
 *  of the rounds' ratios, so that both come from the same minute). `rounds`: [{ [side]: { [figure]: number,
 *  commands: { [command]: times } } }]. */
export function rowOf({ id, title, load, against, rounds }) {
  const sides = Object.keys(rounds[0]);
  const all = rounds.map((round) => mapValues(round, roundFigures));
  return {
    id,
    title,
    load,
    ...(against && { against }),
    medians: Object.fromEntries(sides.map((side) => [side, mediansOf(all.map((round) => round[side]))])),
    ...(against && {
      ratios: Object.fromEntries(
        sides
          .filter((side) => side !== against)
          .map((side) => [side, ratiosOf(all.map((round) => [round[side], round[against]]))]),
      ),
    }),
    rounds: all,
  };
}

/** As many digits as mean something: four, and all of whole numbers. */
export function rounded(number) {
  return Math.abs(number) >= 1_000 ? Math.round(number) : Number(number.toPrecision(4));
}

function roundFigures({ commands, ...figures }) {
  const whole = mapValues(figures, rounded);
  return commands ? { ...whole, commands: mapValues(commands, rounded) } : whole;
}

function mediansOf(figures) {
  const names = Object.keys(figures[0]).filter((name) => name !== 'commands');
  const medians = Object.fromEntries(names.map((name) => [name, rounded(median(figures.map((some) => some[name])))]));
  if (!figures[0].commands) return medians;
  const commands = [...new Set(figures.flatMap((some) => Object.keys(some.commands)))].toSorted();
  const times = (name) => rounded(median(figures.map((some) => some.commands[name] ?? 0)));
  return { ...medians, commands: Object.fromEntries(commands.map((name) => [name, times(name)])) };
}

function ratiosOf(pairs) {
  const names = Object.keys(pairs[0][0]).filter((name) => pairs.every(([a, b]) => a[name] > 0 && b[name] > 0));
  return Object.fromEntries(names.map((name) => [name, rounded(median(pairs.map(([a, b]) => a[name] / b[name])))]));
}

const mapValues = (object, map) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
