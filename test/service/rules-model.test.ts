import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExplainedSuggestions, personOf } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type ModelVisitor, modelHolds, modelSuggests, randomRules, randomVisitor } from '../rules/rules-model.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';

/* Random rules and histories through a real service and Redis, beside the plain model of test/rules/. */

const NOW = Date.parse('2026-05-17T10:30:00Z');
const RULES = 10;
const VISITORS = 60;
const VISITORS_OF_RULES = 6;

const server = useRedis({ eachTest: 'kept' });

describe.each([
  ['that stands in the record', 512],
  // Nearly all have outgrown it.
  ['for which filters are asked', 2],
])('rules over what is known, %s', (_, exactLimit) => {
  const namespace = `exact${exactLimit}`;
  let service: Service;
  let foreign: ForeignClient;
  beforeAll(async () => {
    const secret = 'a secret of the tests, long enough';
    const options = { namespace, secret, acceptTimes: true, clock: () => NOW, seen: { exactLimit } };
    service = await startService({ redis: server.url, ...options });
    foreign = await ForeignClient.connect(server.url, namespace);
  });
  afterAll(async () => {
    await foreign.close();
    await service.stop();
  });

  async function replay(id: string, { log }: ModelVisitor): Promise<void> {
    for (const each of log) {
      const at = each.at * 1_000;
      if ('view' in each) await foreign.ask('pageview', id, { path: each.view, at });
      else if ('mark' in each) await foreign.ask('mark-item-seen', id, each.mark);
      else await foreign.ask('track', id, { event: each.event, count: each.count, items: each.items, at });
    }
  }

  it('answer as the model does, and explain the same', async () => {
    const random = new SeededRandom(exactLimit);
    for (let i = 0; i < VISITORS; i += VISITORS_OF_RULES) {
      const rules = randomRules(random, RULES);
      service.setRules(rules);
      const byPriority = [...rules.suggestions!].sort((one, other) => other.priority! - one.priority!);
      for (let j = i; j < i + VISITORS_OF_RULES; j += 1) {
        const visitor = randomVisitor(random, NOW);
        const id = visitor.isPerson ? personOf(`user-${j}`) : `session-${j}`;
        await replay(id, visitor);
        const asked = { groups: visitor.groups, ...(visitor.here !== undefined && { here: visitor.here }) };
        const [suggested, explained, segments] = (await foreign.ask('together', id, [
          ['combo', asked],
          ['combo', { ...asked, explain: true }],
          ['segments', asked],
        ])) as [{ rule: string }[], ExplainedSuggestions, Record<string, boolean>];
        const expected = byPriority.filter((rule) => modelSuggests(rules, rule, visitor)).map(({ name }) => name);
        const told = `visitor ${j}: ${JSON.stringify(visitor)}`;
        expect(
          suggested.map(({ rule }) => rule),
          told,
        ).toEqual(expected);
        expect(explained.suggestions, told).toEqual(suggested);
        expect(
          explained.rules.filter(({ shown }) => shown).map(({ rule }) => rule),
          told,
        ).toEqual(expected);
        expect(segments, told).toEqual(
          Object.fromEntries(
            Object.entries(rules.segments!).map(([name, condition]) => [name, modelHolds(rules, condition, visitor)]),
          ),
        );
      }
    }
  }, 60_000);
});
