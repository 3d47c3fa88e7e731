import { commandsText } from './markdown.js';

/** Prints rows as tables, for who watches. */
export function printRows(rows) {
  for (const { id, title, load, medians, ratios = {} } of rows) {
    console.log(`\n${id}: ${title}; ${load}`);
    const lines = Object.entries(medians).map(([side, { commands, ...figures }]) => {
      const ratio = ratios[side]?.perSecond;
      return [
        side,
        { ...figures, ...(ratio && { ratio }), ...(commands && { commands: commandsText(commands).slice(0, 60) }) },
      ];
    });
    console.table(Object.fromEntries(lines));
  }
}
