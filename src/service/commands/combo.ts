import { type Handler, makeHandler } from './handler.ts';

/** Answers which combos hold now, or whether the named one does, and because of what. One that is not configured does
 *  not hold: pages may be newer or older than the configuration. */
export const combo: Handler<'combo'> = makeHandler({
  parse: (name) => name,
  run: ({ combos }, subject, name) => combos.holding(subject, name),
});
