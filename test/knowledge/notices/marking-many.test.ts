import { describe, expect, it } from 'vitest';
import { MARKS, NOTICE_CAP } from '../../../src/knowledge/index.ts';
import { type Apply, runStep } from '../../../src/redis/index.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';

/* More notices at once than a script may answer values. */

const LISTS = 9;

describe('marking all notices of nine full lists', () => {
  const stage = useNotices();
  const { notices } = stage.knowledge;
  const names = Array.from({ length: LISTS }, (_, i) => `full-${i}`);
  const lists = names.map(groupList);

  it('marks each, counts who read them and tells it, and takes the request off with the last step', async () => {
    for (let i = 0; i < NOTICE_CAP; i += 1) {
      await Promise.all(names.map((name) => stage.publish(name, `${name}-${i}`)));
    }
    const reading = stage.knowledge.read('v');
    const committed: number[] = [];
    const apply: Apply = (step) => {
      committed.push(step.args.length);
      return runStep(stage.redis, step);
    };
    expect(await notices.markAll(reading, lists, MARKS.read, apply)).toBe(LISTS * NOTICE_CAP);
    expect(await stage.unread('v', ...names)).toEqual([]);
    // The request is taken off by one step, with 1,000 of the marks: three arguments each.
    expect(committed).toEqual([expect.any(Number)]);
    expect(committed[0]).toBeLessThan(3 * 1_000 + 10);
    const ends = names.flatMap((name) => [`${name}-0`, `${name}-${NOTICE_CAP - 1}`]);
    expect(await notices.reach.read(ends)).toEqual(ends.map(() => ({ seen: 1, read: 1 })));
    const told = await stage.redis.command<[string, string[]][]>('XRANGE', stage.keys.live(), '-', '+');
    expect(told.filter(([, fields]) => fields.includes('marked'))).toHaveLength((LISTS * NOTICE_CAP) / 100);
  }, 60_000);
});
