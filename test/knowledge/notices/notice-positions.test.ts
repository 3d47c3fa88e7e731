import { describe, expect, it } from 'vitest';
import { Knowledge } from '../../../src/knowledge/index.ts';
import { NoticePositions } from '../../../src/knowledge/notices/notice-positions.ts';
import { interruptedConnection } from '../../support/interrupted-connection.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';
import { TEST_SECRET, useTestData } from '../../support/use-test-data.ts';

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

describe('a notice that is withdrawn and published again', () => {
  const stage = useNotices();
  /** Publishes, and does something before it is noted where the notice stands. */
  const publishWith = (group: string, id: string, work: () => Promise<unknown>): Promise<{ at: number }> =>
    new Knowledge(
      interruptedConnection(stage.redis, 'note-position', work),
      stage.keys,
      TEST_SECRET,
      () => stage.clock.now,
    ).notices.lists.publish(groupList(group), { id, text: id });

  it('is unread, also where a repeated publish of the withdrawn one is slow', async () => {
    const first = await stage.publish('late', 'n7');
    await stage.mark('ada', 'dismissed', 'n7');
    const repeated = await publishWith('late', 'n7', () => stage.knowledge.notices.lists.withdraw('n7'));
    expect(repeated).toEqual({ isNew: false, at: first.at });
    await stage.publish('buyers', 'n7');
    expect(await stage.unread('ada', 'buyers')).toEqual(['n7']);
  });

  it('is unread, also where the first publish is slow, and was repeated before', async () => {
    const slow = await publishWith('slow', 'n8', async () => {
      await stage.publish('slow', 'n8');
      await stage.mark('ada', 'dismissed', 'n8');
      await stage.knowledge.notices.lists.withdraw('n8');
      await stage.publish('elsewhere', 'n8');
    });
    expect(slow).toMatchObject({ isNew: true });
    expect(await stage.unread('ada', 'elsewhere')).toEqual(['n8']);
  });
});
