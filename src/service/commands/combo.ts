import type { Suggestion } from '../../protocol/index.ts';
import type { Command } from './command.ts';

/** Answers which combos hold now, or whether the named one does, and because of what. One that is not configured does
 *  not hold: pages may be newer or older than the configuration. */
export const combo: Command<string, Suggestion[]> = {
  name: 'combo',
  parse: (name) => name,
  run: ({ combos }, session, name) => combos.holding(session, name),
};
