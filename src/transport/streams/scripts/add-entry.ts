import { defineScript } from '../../../redis/index.ts';

/** Adds a request to a stream, unless that is full. Behind the named argument stand the entry's fields and values. */
export const addEntry = defineScript({
  name: 'add-entry',
  keys: ['requests'],
  args: { mostEntries: 'number' },
  restArgs: 'field',
  output: "the entry's id, or nil where the stream is full",
  body: `
    if redis.call('XLEN', requests) >= mostEntries then return false end
    return redis.call('XADD', requests, '*', unpack(ARGV, firstField))`,
}).returns<string | null>();
