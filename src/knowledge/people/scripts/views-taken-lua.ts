import { defineLua } from '../../../redis/index.ts';

/** In front of a source's name: under it stands what was taken of its facts. No source has a blank. */
export const FACTS_OF = 'facts ';
/** In front of a source's name: under it stand a digest of what was taken of its notices, and the number
 *  of the claim when they were read. No source has a blank. */
export const NOTICES_OF = 'notices ';

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
