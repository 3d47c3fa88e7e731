import { ProtocolError, type Suggestion } from '../../protocol/index.ts';
import { excerpt } from '../../protocol/item.ts';
import type { Combo, Command } from './command.ts';
import { wereSeen } from './were-seen.ts';

/** Answers which combos hold now, or whether the named one does, and because of what. */
export const combo: Command<readonly Combo[], Suggestion[]> = {
  name: 'combo',
  parse: (payload, { combos }) => {
    if (payload === '') return combos;
    const named = combos.filter(({ name }) => name === payload);
    if (named.length > 0) return named;
    const known = combos.map(({ name }) => name).join(', ') || 'none';
    throw new ProtocolError('bad-payload', `No combo is called ${excerpt(payload)}; configured are: ${known}.`);
  },
  run: async ({ data }, session, combos) => {
    const items = [...new Set(combos.flatMap(({ all }) => all))];
    const answers = await wereSeen(data, session, items);
    const seen = new Set(items.filter((_, i) => answers[i]));
    return combos
      .filter(({ all }) => all.every((item) => seen.has(item)))
      .map(({ name, suggest, all, reason }) => ({ combo: name, suggest, because: [...all], reason }));
  },
};
