import { describe, expect, test } from 'vitest';
import { judgeEviction, judgePersistence } from '../../src/doctor/diagnose.ts';

describe('doctor', () => {
  test.each([
    [{ appendonly: 'yes', appendfsync: 'everysec', save: '60 1' }, ['good']],
    [{ appendonly: 'yes', appendfsync: 'always', save: '60 1' }, ['good']],
    [{ appendonly: 'yes', appendfsync: 'everysec', save: '' }, ['good', 'note']],
    [{ appendonly: 'yes', appendfsync: 'no', save: '60 1' }, ['problem']],
    [{ appendonly: 'no', appendfsync: 'everysec', save: '60 1' }, ['problem']],
    [{ appendonly: 'no', appendfsync: 'everysec', save: '' }, ['problem']],
    [{}, ['note']],
  ])('persistence %j -> %j', (settings, levels) => {
    expect(judgePersistence(settings).map(({ level }) => level)).toEqual(levels);
  });

  test.each([
    [{ maxmemory: '0', 'maxmemory-policy': 'noeviction' }, 'note'],
    [{ maxmemory: '1000000', 'maxmemory-policy': 'noeviction' }, 'good'],
    [{ maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' }, 'problem'],
    [{ maxmemory: '1', 'maxmemory-policy': 'volatile-ttl' }, 'problem'],
    [{}, 'note'],
  ])('eviction %j -> %s', (settings, level) => {
    expect(judgeEviction(settings)).toEqual([expect.objectContaining({ level })]);
  });
});
