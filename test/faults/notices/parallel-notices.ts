import { expect } from 'vitest';
import type { Shown } from '../../knowledge/notices/notices-model.ts';
import * as operations from './notice-operations.ts';
import * as races from './notice-races.ts';
import { GROUPS, LISTS, type NoticeStage } from './notice-stage.ts';

/* parallel-notices.ts: random operations on notices, many at once, beside a plain model.
 *
 * Operations that meet, on the same notice or by the same subject, wait for each other, so the model knows their order; all
 * others run side by side. In races the same is done several times at once, and one of their orders must explain what is
 * there. A look runs beside everything: it must show what the model shows, but for notices that change at that moment.
 * When nothing else runs, all must be equal. */

const KINDS: readonly (readonly [weight: number, name: string, work: (stage: NoticeStage) => Promise<void>])[] = [
  [15, 'publish', operations.publish],
  [5, 'publish to one', operations.publishOwn],
  [2, 'change that of one', operations.changeOwn],
  [5, 'edit', operations.edit],
  [5, 'withdraw', operations.withdraw],
  [25, 'mark', operations.mark],
  [3, 'mark all', operations.markAll],
  [4, 'mute', operations.mute],
  [20, 'look', operations.look],
  [3, 'page view', operations.viewPage],
  [4, 'identify', operations.identify],
  [2, 'join', operations.join],
  [5, 'race of writers', races.raceWriters],
  [4, 'race of marks', races.raceMarks],
  [2, 'race of identify', races.raceIdentify],
];

/** What a subject is shown of lists by a reader that has kept nothing. */
export type ReadAnew = (subject: string, lists: readonly string[]) => Promise<Shown>;

/** Does random operations, so many at once, until there were `count`. Returns how often each was done. `each`: called with
 *  the number of each before it is done. */
export async function runParallel(
  stage: NoticeStage,
  { count, atOnce, each }: { count: number; atOnce: number; each: (number: number) => Promise<void> | undefined },
): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  let number = 0;
  const work = async (): Promise<void> => {
    while (number < count) {
      number += 1;
      await each(number);
      const [, name, operation] = pickKind(stage);
      done[name] = (done[name] ?? 0) + 1;
      await operation(stage);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}

function pickKind({ random }: NoticeStage): (typeof KINDS)[number] {
  let left = random.next() * KINDS.reduce((sum, [weight]) => sum + weight, 0);
  return KINDS.find(([weight]) => {
    left -= weight;
    return left < 0;
  })!;
}

/** Waits until nothing else is done, and compares all that there is. */
export function compareAll(stage: NoticeStage, readAnew: ReadAnew): Promise<void> {
  return stage.alone(async () => {
    for (const list of LISTS) expect(await stage.listed(list), list).toEqual(stage.held(list));
    for (const name of stage.subjects.keys()) {
      const own = `own ${name}`;
      expect(await stage.listed(own), own).toEqual(stage.held(own));
      const groups = GROUPS.filter((group) => !stage.isMeeting(name, [group]));
      for (const asked of [groups, stage.some(groups, 1)]) await compareOne(stage, name, asked, readAnew);
    }
  });
}

async function compareOne(
  stage: NoticeStage,
  name: string,
  groups: readonly string[],
  readAnew: ReadAnew,
): Promise<void> {
  await stage.compareView(name, groups, 'at rest');
  const now = Date.now();
  const { unseen, unread } = (await stage.ask('notice-counts', name, { groups })).reply!;
  const anew = await readAnew(name, stage.listsOf(name, groups));
  if (stage.inDoubt(now).size > 0) return;
  const shown = stage.view(name, groups, now);
  expect({ unseen, unread }, `counts of ${name} in ${groups}`).toEqual({ unseen: shown.unseen, unread: shown.unread });
  expect(anew, `${name} in ${groups}, read anew`).toEqual(shown);
}
