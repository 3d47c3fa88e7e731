import { defineScript } from '../../../redis/index.ts';

/** Saves a session that nothing has touched since it was loaded: most saves. The end stays where it is, so a session that
 *  has ended meanwhile has ended. */
export const replaceRecord = defineScript({
  name: 'replace-record',
  keys: ['record'],
  args: { loadedHeader: 'text', nextRecord: 'text' },
  statuses: { done: 1, conflict: -1 },
  output: 'done; conflict: the record is another one now, or gone, and save-record has to look closer',
  body: (status) => `
if redis.call('GETRANGE', record, 0, #loadedHeader - 1) ~= loadedHeader then return ${status.conflict} end
redis.call('SET', record, nextRecord, 'KEEPTTL')
return ${status.done}
`,
});
