import { ProtocolError } from '../../protocol/index.ts';
import { checkTime, decodePayload, excerpt, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

const EXPECTED = 'nothing, or {"at":<epoch ms>}';

/** Notes that the visitor is active in this minute, without a page view: a page is still looked at. */
export const active: Handler<'active'> = makeHandler({
  parse: (payload) => {
    if (payload === '') return undefined;
    const value = decodePayload(payload, EXPECTED);
    if (isObject(value) && value.at !== undefined) return checkTime(value.at);
    throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} is no time: give ${EXPECTED}.`);
  },
  run: async (context, { subject }, at, apply) => {
    if (at !== undefined && !context.acceptTimes) context.timeIgnored();
    const active = await context.knowledge.recordActive(subject, context.acceptTimes ? at : undefined, apply);
    if (active) context.site.active(subject);
    return { active };
  },
});
