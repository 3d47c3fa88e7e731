import { defineScript, forgetLua, SUBJECT_TOMBSTONE } from '../../redis/index.ts';

/** Erases everything that is known of a subject, and leaves a mark without content for some time, so that no request of
 *  before brings anything back. */
export const eraseSubject = defineScript({
  name: 'erase-subject',
  uses: [forgetLua],
  keys: ['record', 'absent?'],
  args: { subject: 'text', namespace: 'text', markSeconds: 'number' },
  output: 'how many keys there were, without a mark',
  body: `
local is_mark = redis.pcall('GET', record) == '${SUBJECT_TOMBSTONE}'
local parts = redis.call('UNLINK', unpack(calculated_keys(namespace, tag_of(record), subject)))
redis.call('SET', record, '${SUBJECT_TOMBSTONE}', 'EX', markSeconds)
return is_mark and parts - 1 or parts
`,
}).returns<number>();
