import { defineScript } from '../../redis/index.ts';
import type { SeenItemsOptions } from '../seen-items.ts';
import { seenItemsLua } from './seen-items-lua.ts';

/** Makes the script that marks items as seen. */
export function markItemsScript(options: SeenItemsOptions) {
  return defineScript({
    name: 'mark-items',
    uses: [seenItemsLua(options)],
    keys: ['seenItems', 'uniqueCount'],
    args: { retentionSeconds: 'number' },
    restArgs: 'item',
    output: 'per item 1 where it was seen before, else 0',
    body: `
      local answers = {}
      for i = firstItem, #ARGV do answers[#answers + 1] = (seen_add(seenItems, uniqueCount, ARGV[i])) end
      redis.call('EXPIRE', seenItems, retentionSeconds)
      redis.call('EXPIRE', uniqueCount, retentionSeconds)
      return answers`,
  }).returns<number[]>();
}

/** Makes the script that reads which items were seen. */
export function askItemsScript(options: SeenItemsOptions) {
  return defineScript({
    name: 'ask-items',
    uses: [seenItemsLua(options)],
    keys: ['seenItems'],
    restArgs: 'item',
    buffers: true,
    output: 'per item 1 where it was seen, else 0; or a filter to be asked',
    body: 'return seen_has(seenItems, ARGV)',
  }).returns<number[] | Buffer>();
}

/** Makes the script that counts different items. */
export function countItemsScript(options: SeenItemsOptions) {
  return defineScript({
    name: 'count-items',
    uses: [seenItemsLua(options)],
    keys: ['seenItems', 'uniqueCount'],
    output: 'the count, and 1 where it is exact, 0 where it is an estimate',
    body: 'return { seen_count(seenItems, uniqueCount) }',
  }).returns<[count: number, isExact: 0 | 1]>();
}
