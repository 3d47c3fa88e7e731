import { defineLua, type LuaText } from '../../redis/index.ts';

/** Reads the server's clock: `now_ms()`, milliseconds of the epoch. */
export const clockLua: LuaText = defineLua({
  name: 'clock',
  source: `
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`,
});

/** Ends a script that comes too late: `refuse_late(not_after, now)`; with `not_after` 0 never. After that time the
 *  caller already has an error that says that nothing was written. */
export const refuseLateLua: LuaText = defineLua({
  name: 'refuse-late',
  source: `
local function refuse_late(not_after, now)
  if not_after > 0 and now > not_after then
    error('SESSIONLATE This came too late by Redis\\'s clock, and was not done.')
  end
end
`,
});
