import { describe, expect, it } from 'vitest';
import { isUnread, Knowledge, type ListName, MARKS } from '../../../src/knowledge/index.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { type Mark, NoticesModel, type Shown } from './notices-model.ts';

/* Notices against a plain model: random operations of two services at once, one of which is started anew now and then. */

const server = useRedis();
const { redis } = server;

const OPERATIONS = Number(process.env.SESSIONWISE_SOAK_SECONDS ?? 0) > 0 ? 10_000 : 1_500;
const GROUPS = ['news', 'team', 'late'];
const IDS = Array.from({ length: 12 }, (_, i) => `n${i}`);
const MARK_NAMES: Mark[] = ['seen', 'read', 'unread', 'dismissed'];
const listOf = (name: string): ListName => ({ kind: 'group', name });

describe('notices', { timeout: 600_000 }, () => {
  it.each([1, 2, 3])('are what a plain model shows, through all that is done to them (schedule %i)', async (seed) => {
    const seeded = new SeededRandom(seed);
    const random = (): number => seeded.next();
    const pick = <Value>(values: readonly Value[]): Value => seeded.pick(values);
    // Ahead of Redis's clock, so that only the test moves it.
    const clock = { now: Date.now() + 3_600_000 };
    // Each service listens to the one connection.
    redis.setMaxListeners(0);
    const open = (): Knowledge => new Knowledge(redis, new Keys('sw'), TEST_SECRET, () => clock.now);
    const services = [open(), open()];
    const service = (): Knowledge => pick(services);
    const model = new NoticesModel();
    const people = [personOf('ada'), personOf('bob')];
    let sessions = ['s0', 's1', 's2'];
    let made = 3;

    const view = async (subject: string, lists: readonly string[]): Promise<Shown> => {
      const { notices } = service();
      const seen = await notices.view(service().read(subject), lists.map(listOf));
      return {
        notices: [...seen.shown()].map(({ notice: { id, text }, state }) => ({
          id,
          text,
          seen: state !== 0,
          read: !isUnread(state),
        })),
        unseen: seen.unseen,
        unread: seen.unread,
      };
    };
    const compare = async (): Promise<void> => {
      // Not all each time: who looks for the first time joins a list by it.
      for (const subject of [...people, ...sessions].filter(() => random() < 0.5)) {
        const lists = random() < 0.7 ? GROUPS : [pick(GROUPS)];
        expect(await view(subject, lists), subject).toEqual(model.view(subject, lists, clock.now));
      }
    };

    let done = 0;
    while (done < OPERATIONS / 3) {
      clock.now += Math.floor(random() * 2_000);
      // Operations at once, each of an id and a subject of its own: their order does not matter.
      const ids = IDS.slice().sort(() => random() - 0.5);
      const subjects = [...people, ...sessions].sort(() => random() - 0.5);
      const works: Promise<unknown>[] = [];
      const kinds = Array.from({ length: 1 + Math.floor(random() * 6) }, () => random());
      for (const kind of kinds) {
        const id = ids.pop()!;
        const subject = subjects[works.length % subjects.length]!;
        done += 1;
        if (kind < 0.3) {
          const isLater = random() < 0.2;
          const at = clock.now + (isLater ? Math.floor(random() * 20_000) : 0);
          const expiresAt = random() < 0.3 ? at + 1 + Math.floor(random() * 30_000) : 0;
          const notice = { id, text: `text ${done}`, publishAt: at, expiresAt };
          if (random() < 0.2) {
            const own = `own ${subject}`;
            const reading = service().read(subject);
            const isNew = model.publish(own, id, notice.text, at, expiresAt);
            works.push(
              service()
                .notices.own.publish(reading.subject, notice)
                .then((published) => expect(published.isNew).toBe(isNew)),
            );
          } else {
            const group = pick(GROUPS);
            const isNew = model.publish(group, id, notice.text, at, expiresAt);
            works.push(
              service()
                .notices.lists.publish(listOf(group), notice)
                .then((published) => expect(published.isNew).toBe(isNew)),
            );
          }
        } else if (kind < 0.4) {
          const lists = model.edit(id, `edited ${done}`);
          works.push(
            service()
              .notices.lists.edit(id, { text: `edited ${done}` })
              .then((count) => expect(count).toBe(lists)),
          );
        } else if (kind < 0.47) {
          const lists = model.withdraw(id);
          works.push(
            service()
              .notices.lists.withdraw(id)
              .then((count) => expect(count).toBe(lists)),
          );
        } else if (kind < 0.9) {
          const mark = pick(MARK_NAMES);
          model.mark(subject, id, mark);
          const one = service();
          works.push(one.notices.markIds(one.read(subject), [id], MARKS[mark]));
        } else {
          const [group, isMuted] = [pick(GROUPS), random() < 0.4];
          model.mute(subject, group, isMuted);
          const one = service();
          const { subject: named } = one.read(subject);
          works.push(one.notices.mute(named, isMuted ? [group] : [], isMuted ? [] : [group]));
        }
        if (works.length === subjects.length) break;
      }
      await Promise.all(works);
      // What concerns many alone.
      const alone = random();
      if (alone < 0.1) {
        const [subject, mark, groups] = [pick([...people, ...sessions]), pick(MARK_NAMES), GROUPS.slice(0, 2)];
        const one = service();
        const count = await one.notices.markAll(one.read(subject), groups.map(listOf), MARKS[mark]);
        expect(count).toBe(model.markAll(subject, groups, mark, clock.now));
      } else if (alone < 0.3) {
        const [session, person] = [pick(sessions), pick(people)];
        const one = service();
        await one.people.identify(one.read(person).subject, session);
        model.merge(person, session);
        sessions = [...sessions.filter((each) => each !== session), `s${made}`];
        made += 1;
      } else if (alone < 0.33) services[Math.floor(random() * 2)] = open();
      else if (alone < 0.4) {
        const [group, joining] = [pick(['late', 'team']), pick(['all', 'now'] as const)];
        await service().notices.lists.setJoining(listOf(group), joining);
        model.join(group, joining);
      }
      await compare();
    }
  });
});
