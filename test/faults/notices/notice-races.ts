import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { NoticesModel, Shown } from '../../knowledge/notices/notices-model.ts';
import { explainRace, type ListOutcome, type RacedWrite } from './explain-race.ts';
import { MARKS } from './notice-operations.ts';
import { ANY, GROUPS, IDS, LISTS, lockOf, type NewNotice, type NoticeStage, PEOPLE } from './notice-stage.ts';
import { ordersOf } from './orders.ts';

/* notice-races.ts: several operations on the same at once. What is there afterwards must be what one of their orders leaves,
 * with the answers that were given. */

type Step = (model: NoticesModel) => void;

/** The same notice is published, edited and withdrawn at once. */
export async function raceWriters(stage: NoticeStage): Promise<void> {
  const id = stage.random.pick(IDS);
  await stage.writing(id, [], async () => {
    const held = stage.model.listsWith(id);
    if (held.length > 2) return;
    const lists = [...new Set([...held, stage.random.pick(LISTS)])].slice(0, 2);
    const kinds = Array.from({ length: 2 + stage.random.below(2) }, () =>
      stage.random.pick(['publish', 'publish', 'edit', 'withdraw'] as const),
    );
    const writes = await Promise.all(
      kinds.map((kind) => write(stage, kind, stage.random.pick(lists), stage.newNotice(id))),
    );
    const before = lists.map((list) => stage.held(list).find((one) => one.id === id));
    const after = await Promise.all(lists.map(async (list) => (await stage.listed(list)).find((one) => one.id === id)));
    const texts = (notices: typeof before): (string | undefined)[] => notices.map((notice) => notice?.text);
    const outcomes = explainRace(lists, texts(before), writes, texts(after));
    const story = JSON.stringify({ id, lists, before, writes, after });
    expect(outcomes, `no order of these leaves what is there: ${story}`).toBeDefined();
    lists.forEach((list, i) => void note(stage, list, id, outcomes![i]!, after[i]?.at));
  });
}

async function write(
  stage: NoticeStage,
  kind: RacedWrite['kind'],
  list: string,
  { id, text }: NewNotice,
): Promise<RacedWrite> {
  if (kind === 'publish') {
    const { reply, isRepeated } = await stage.publish(list, { id, text });
    return { kind, list, text, found: isRepeated ? undefined : Number(!reply!.isNew) };
  }
  const { reply, isRepeated } =
    kind === 'edit'
      ? await stage.ask('edit-notice', ANY, { id, text })
      : await stage.ask('withdraw-notice', ANY, { id });
  return { kind, text, found: isRepeated ? undefined : reply!.lists };
}

function note({ model }: NoticeStage, list: string, id: string, { text, isNew }: ListOutcome, at = 0): void {
  if (isNew || text === undefined) model.change(list, id, undefined);
  if (text === undefined) return;
  if (isNew) model.publish(list, id, text, at, 0);
  else model.change(list, id, text);
}

/** Devices of the same subject mark the same notices at once, each in another way. */
export async function raceMarks(stage: NoticeStage): Promise<void> {
  const [ids, name] = [stage.some(IDS, 2), stage.anybody()];
  await stage.holding({ shared: ids.map(lockOf), exclusive: [name] }, async () => {
    const raced = Array.from({ length: 2 + stage.random.below(2) }, () => stage.random.pick(MARKS));
    await Promise.all(raced.map((as) => stage.ask('mark-notices', name, { ids, as })));
    const steps = raced.map((as) => (model: NoticesModel) => {
      for (const id of ids) model.mark(name, id, as);
    });
    await settle(stage, name, ids, ordersOf(steps), `${raced} of ${ids} at once`);
  });
}

/** Two devices become a person at once, one of them twice, and marks meanwhile. */
export async function raceIdentify(stage: NoticeStage): Promise<void> {
  const [ids, person, as] = [stage.some(IDS, 2), stage.random.pick(PEOPLE), stage.random.pick(MARKS)];
  const [one, other] = stage.some(stage.sessions(), 2, 2) as [string, string];
  await stage.holding({ shared: IDS.map(lockOf), exclusive: [person, one, other] }, async () => {
    await Promise.all([
      stage.ask('identify', person, one),
      stage.ask('mark-notices', one, { ids, as }),
      stage.ask('identify', person, one),
      stage.ask('identify', person, other),
    ]);
    // What was marked late is the person's by then.
    await stage.ask('identify', person, one);
    const merge =
      (session: string): Step =>
      (model) =>
        model.merge(person, session);
    const marks: Step = (model) => ids.forEach((id) => void model.mark(one, id, as));
    const orders = ordersOf([marks, merge(one), merge(other)]).map((order) => [...order, merge(one)]);
    for (const session of [one, other]) stage.retire(session, person);
    // Also of notices that nobody marks now it may depend on the order which of the two devices' marks stays.
    await settle(stage, person, IDS, orders, `identify, and ${as} of ${ids} at once`);
  });
}

function story(
  stage: NoticeStage,
  shown: Shown['notices'],
  expected: Shown['notices'],
  ids: readonly string[],
): string {
  const has = (all: Shown['notices'], one: Shown['notices'][number]): boolean =>
    all.some((other) => isDeepStrictEqual(one, other));
  const differ = [...shown, ...expected].filter((one) => !has(shown, one) || !has(expected, one));
  return stage.story(differ.length > 0 ? differ.map(({ id }) => id) : ids);
}

// Does the first order that leaves what is shown. Where others leave something else that does not show, the marks are set.
async function settle(
  stage: NoticeStage,
  name: string,
  ids: readonly string[],
  orders: readonly (readonly Step[])[],
  what: string,
): Promise<void> {
  const groups = GROUPS.filter((group) => !stage.isMeeting(name, [group]));
  const seen = await stage.observe(name, groups);
  const models = orders.map((order) => {
    const model = stage.model.clone();
    for (const step of order) step(model);
    return model;
  });
  const fits = orders.filter((_, i) => isDeepStrictEqual(seen.shown, stage.expected(name, groups, seen, models[i])));
  const [first] = fits;
  const expected = models.map((model) => stage.expected(name, groups, seen, model));
  const told = first
    ? ''
    : `${JSON.stringify(seen.shown)}, expected ${JSON.stringify(expected)}\n${story(stage, seen.shown, expected[0]!, ids)}`;
  expect(first, `no order leaves what is shown to ${name}: ${what}; ${told}`).toBeDefined();
  const left = new Set(fits.map((fit) => models[orders.indexOf(fit)]!.marksOf(name)));
  for (const step of first!) step(stage.model);
  if (left.size === 1) return;
  await stage.ask('mark-notices', name, { ids, as: 'unread' });
  for (const id of ids) stage.model.mark(name, id, 'unread');
}
