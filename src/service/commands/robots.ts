import { checkRefusedRobots, decodePayload } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Counts requests of robots that a serving process has refused. Of robots nothing else reaches the service. */
export const robots: Handler<'robots'> = makeHandler({
  parse: (payload) => checkRefusedRobots(decodePayload(payload, '{"refused":n}')),
  run: async (context, _, told) => {
    context.site.refused(told.refused);
    context.robotsRefused(told.refused);
    return told;
  },
});
