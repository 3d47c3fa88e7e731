import { defineScript, type FilterEngine } from '../../redis/index.ts';
import type { SeenFilterOptions } from '../seen-filter.ts';
import { seenFilterLua } from './seen-filter-lua.ts';

/** Makes the script that adds items to a filter, and creates the filter where it is absent. */
export function addToFilterScript(engine: FilterEngine, options: SeenFilterOptions) {
  return defineScript({
    name: 'add-to-filter',
    uses: [seenFilterLua(engine, options)],
    keys: ['filter'],
    restArgs: 'item',
    output: 'per item 1 where the filter held it before, else 0',
    body: `
      if redis.call('EXISTS', filter) == 0 then filter_create(filter) end
      local answers = {}
      for i = firstItem, #ARGV do answers[i] = filter_add(filter, ARGV[i]) end
      return answers`,
  }).returns<number[]>();
}

/** Makes the script that asks a filter for items. */
export function askFilterScript(engine: FilterEngine, options: SeenFilterOptions) {
  return defineScript({
    name: 'ask-filter',
    uses: [seenFilterLua(engine, options)],
    keys: ['filter'],
    restArgs: 'item',
    buffers: true,
    output: 'per item 1 where the filter holds it, else 0; or the filter itself',
    body: `
      if redis.call('EXISTS', filter) == 1 then return filter_fetch_or_has(filter, ARGV) end
      local answers = {}
      for i = firstItem, #ARGV do answers[i] = 0 end
      return answers`,
  }).returns<number[] | Buffer>();
}
