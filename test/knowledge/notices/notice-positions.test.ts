import { describe, expect, it } from 'vitest';
import { NoticePositions } from '../../../src/knowledge/notices/notice-positions.ts';
import { useTestData } from '../../support/use-test-data.ts';

/* The positions of notices by their ids, which are written behind the lists: in any order. */

describe('the position of a notice in a list', () => {
  const { redis, keys, knowledge } = useTestData();
  const positions = new NoticePositions(redis, keys, knowledge.items);
  const notice = knowledge.items.of('notice', 'n');
  const at = (sequence: number, list = 1): { list: number; sequence: number } => ({ list, sequence });

  it('is that which was published last, also where an earlier publish writes it later', async () => {
    await positions.note(notice, at(1_700_000_000_000_010));
    await positions.note(notice, at(1_700_000_000_000_009));
    await positions.note(notice, at(9, 2));
    expect(await positions.locate(['n', 'other'])).toEqual([[at(1_700_000_000_000_010), at(9, 2)], []]);
  });

  it('stays where the notice was withdrawn and published again meanwhile', async () => {
    await positions.note(notice, at(6));
    await positions.drop(notice, at(5));
    expect(await positions.of(notice)).toEqual([at(6)]);
    await positions.drop(notice, at(6));
    expect(await positions.of(notice)).toEqual([]);
  });
});
