import { expect, it } from 'vitest';
import { inParallel } from '../session-data/session-data-stage.suite.ts';
import { tokenOn, useClusterStage, userOn } from './cluster-stage.ts';

/* What a process asks before it is connected waits for the connection: in a Cluster for all that it may need. */

const STORES = 20;

const stage = useClusterStage();

it('a login before the first connect reaches the master of the session and that of its user', async () => {
  const saving = stage.open();
  const saved = await inParallel(STORES, async (i) => {
    const token = tokenOn(i % 3);
    return { token, loaded: await saving.save(token, { i }) };
  });
  const outcomes: unknown[] = [];
  for (const [i, { token, loaded }] of saved.entries()) {
    const data = stage.open({ maxSessionsPerUser: 2, deadlineMs: 5_000 });
    outcomes.push(
      await data.identify(token, userOn((i + 1) % 3), {}, loaded).then(
        () => 'identified',
        (error: Error) => error.message,
      ),
    );
  }
  expect(outcomes).toEqual(saved.map(() => 'identified'));
});
