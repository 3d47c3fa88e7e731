import { defineScript } from '../../../redis/index.ts';

/** Takes or renews a lease. */
export const takeLease = defineScript({
  name: 'take-lease',
  keys: ['lease'],
  args: { holder: 'text', durationMs: 'number' },
  statuses: { taken: 1, refused: 0 },
  output: "taken: it is the holder's now; refused: another one holds it",
  body: (status) => `
local current = redis.call('GET', lease)
if current and current ~= holder then return ${status.refused} end
redis.call('SET', lease, holder, 'PX', durationMs)
return ${status.taken}
`,
});

/** Gives a lease back, if it is the holder's. */
export const releaseLease = defineScript({
  name: 'release-lease',
  keys: ['lease'],
  args: { holder: 'text' },
  output: '1 where it was given back, else 0',
  body: `
if redis.call('GET', lease) ~= holder then return 0 end
return redis.call('DEL', lease)
`,
}).returns<number>();
