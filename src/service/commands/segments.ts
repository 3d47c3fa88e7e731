import { checkSegmentsQuery, decodePayload } from '../../protocol/internal/index.ts';
import { segmentsOf } from '../rules/segments-of.ts';
import { type Handler, makeHandler } from './handler.ts';

const EXPECTED = '"", or {"names":["..."]}';

/** Answers of each segment whether it holds. One that is not configured does not: pages may be newer or older than the
 *  rules. */
export const segments: Handler<'segments'> = makeHandler({
  parse: (payload) => checkSegmentsQuery(payload === '' ? '' : decodePayload(payload, EXPECTED)),
  items: ({ names = [], groups = [] }) => names.length + groups.length,
  run: async (context, subject, { names, here, groups }) => {
    const asked = names ?? context.rules.current.compiled.segments.map(({ name }) => name);
    const holding = new Set(await segmentsOf(context, subject, asked, { here, groups }));
    return Object.fromEntries(asked.map((name) => [name, holding.has(name)]));
  },
});
