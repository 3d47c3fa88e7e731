import { defineScript } from '../../../redis/index.ts';
import { MAX_ENTRY_BYTES, MOST_SHORT_FIELDS, type RawEntry, SHORT_FIELD_BYTES } from '../entry-size.ts';
import { DEAD_LETTER_CAP } from './commit-lua.ts';

// Below this many bytes an entry is small: the next few are read at once.
const SMALL_BYTES = 4 * 1024;

/** Reads entries of several streams. Per stream its KEYS are requests, owner and dead letters; its arguments are token,
 *  position, the most entries and the most bytes. `mostBytes`: of all streams together.
 *
 *  A too large entry goes to the dead letters in this step, and ends the read: to read 300 MB takes Redis longer than a
 *  lease, so a later step would be refused each time. */
export const readStreams = defineScript({
  name: 'read-streams',
  keys: [],
  args: { mostBytes: 'number', tooLarge: 'text' },
  restKeys: 'stream',
  restArgs: 'request',
  output: 'per stream 1 where more entries may follow (else 0), and its entries',
  body: `
    local left, answer = mostBytes, {}
    -- Returns 1 where the entry went to the dead letters, else 0.
    local function dead_letter(requests, deadLetters, entry, short, bytes)
      local fields = { 'c', '', 's', '', 'r', '', 'bytes', string.format('%d', bytes), 'd', '0', 'id', entry[1],
        'reason', tooLarge }
      for i = 1, #short, 2 do
        for j = 1, 10, 2 do if fields[j] == short[i] then fields[j + 1] = short[i + 1] end end
      end
      local letter = redis.pcall('XADD', deadLetters, 'MAXLEN', '~', ${DEAD_LETTER_CAP}, '*', unpack(fields))
      if type(letter) == 'table' then return 0 end
      if redis.pcall('XDEL', requests, entry[1]) == 1 then return 1 end
      redis.pcall('XDEL', deadLetters, letter)
      return 0
    end
    -- The short fields and values of an entry.
    local function shorten(entry)
      local short = {}
      for i = 1, math.min(#entry[2], ${MOST_SHORT_FIELDS}), 2 do
        local name, value = entry[2][i], entry[2][i + 1]
        if (name == 'c' or name == 's' or name == 'r' or name == 'd' or name == 'o') and #value <= ${SHORT_FIELD_BYTES} then
          short[#short + 1], short[#short + 2] = name, value
        end
      end
      return short
    end
    for i = 0, #KEYS / 3 - 1 do
      local requests, owner, deadLetters = unpack(KEYS, firstStream + 3 * i, firstStream + 3 * i + 2)
      local token, position, most, room = unpack(ARGV, firstRequest + 4 * i, firstRequest + 4 * i + 3)
      most, room = tonumber(most), tonumber(room)
      local entries, more, step = {}, 1, 1
      while #entries < most and room > 0 and left > 0 do
        local wanted = math.min(step, most - #entries)
        local batch = redis.call('XRANGE', requests, '(' .. position, '+', 'COUNT', wanted)
        local largest = 0
        for _, entry in ipairs(batch) do
          local bytes = 0
          for _, text in ipairs(entry[2]) do bytes = bytes + #text end
          largest = math.max(largest, bytes)
          if bytes > ${MAX_ENTRY_BYTES} then
            local short = shorten(entry)
            local is_ours = redis.call('GET', owner) == token
            local is_dead = is_ours and dead_letter(requests, deadLetters, entry, short, bytes) or 0
            entry, bytes = { entry[1], short, bytes, is_dead }, left
          end
          room, left = room - bytes, left - bytes
          entries[#entries + 1], position = entry, entry[1]
        end
        if #batch < wanted then
          more = 0
          break
        end
        step = largest > ${SMALL_BYTES} and 1 or 4
      end
      answer[#answer + 1] = { more, entries }
    end
    return answer`,
}).returns<[hasMore: 0 | 1, entries: RawEntry[]][]>();
