import { defineLua, type LuaText } from '../../redis/index.ts';

/** Appends a lifecycle event to a stream: `append_event(stream, length, event, session, ...)`; what follows are further
 *  fields and values. */
export const appendEventLua: LuaText = defineLua({
  name: 'append-event',
  source: `
local function append_event(stream, length, event, session, ...)
  redis.call('XADD', stream, 'MAXLEN', '~', length, '*', 'event', event, 'session', session, ...)
end
`,
});
