import { defineLua } from '../../../redis/index.ts';

/** Needs `merged`, the key of a person's list of sources.
 *
 *  `views_taken(source)` -> how many of a source's views were taken, as text. A value of the list is these and, behind a
 *  blank, the day (of 1970, UTC) on which the source was claimed. */
export const viewsTakenLua = defineLua({
  name: 'views-taken',
  source: `
local function views_taken(source)
  return string.match(redis.call('HGET', merged, source) or '0', '^%d+')
end
`,
});
