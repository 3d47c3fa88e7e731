import { ProtocolError } from '../../protocol/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Answers which combos hold now, or whether the named one does, and because of what. One that is not configured does
 *  not hold: pages may be newer or older than the configuration. */
export const combo: Handler<'combo'> = makeHandler({
  parse: (payload) => {
    if (typeof payload === 'string') return payload;
    throw new ProtocolError('bad-payload', "Give a combo's name as a string, or an empty one for all.");
  },
  run: ({ combos }, subject, name) => combos.holding(subject, name),
});
