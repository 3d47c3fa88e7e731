/** `holds(score, now)` -> whether an entry of a user's index in a Cluster is a claim that still holds. Its score is when
 *  the session ends; of a place that was only claimed it is until when the claim holds, below 0.
 *  `keep_index(index, ends, now)` lets the index live as long as the last of its sessions. Needs RECORD_LUA. */
export const PLACE_LUA: string = `
local function holds(score, now)
  return tonumber(score) < 0 and -tonumber(score) > now
end

local function keep_index(index, ends, now)
  if redis.call('PTTL', index) < ends - now + KEPT_AFTER_END then
    redis.call('PEXPIREAT', index, ends + KEPT_AFTER_END)
  end
end
`;
