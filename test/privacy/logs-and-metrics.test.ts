import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, type Degraded, personOf, SessionClient, sessionOf } from '../../src/index.ts';
import { CANONICAL_COMMANDS } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { askNotices } from '../support/ask-notices.ts';
import { askRules } from '../support/ask-rules.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { unservedCommands } from '../support/unserved-commands.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What the service writes into its log and its metrics, and what the client's events and counters say, after every command
 * was asked: rightly, wrongly, and with what becomes a dead letter. */

const HIDDEN = 'what-nobody-may-read-in-a-log';
const USER = 'ada.lovelace@example.org';

describe('logs, metrics and events', () => {
  const server = useRedis({ eachTest: 'kept' });
  const log = new RecordingLog();
  const token = createToken();
  const session = sessionOf(token);
  const told: Degraded[] = [];
  let service: Service;
  let client: SessionClient;

  beforeAll(async () => {
    const suggestions = [{ name: 'c', when: { seen: '/x' }, suggest: 's', reason: 'r' }];
    service = await startService({ redis: server.url, secret: TEST_SECRET, transport: 'both', suggestions, log });
    client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
    client.on('degraded', (degraded) => told.push(degraded));
    expect(await client.ready()).toBe(true);
  });
  afterAll(async () => {
    await client?.close();
    await service?.stop();
  });

  it('hold no token, no path, no item, no payload, no user id and no secret', async () => {
    const page = client.session(session, { page: `/${HIDDEN}` });
    await page.request('pageview', `/${HIDDEN}`);
    await page.request('active', '');
    await page.markSeen([HIDDEN]);
    await page.notices.markRead([HIDDEN]);
    await Promise.all([page.unseen([HIDDEN]), page.suggestions(), page.figures(), page.notices.annotate([HIDDEN])]);
    await client.request('together', session, [['surface', [HIDDEN]]]);
    await page.request('mark-notification-seen', [HIDDEN]);
    await client.request('robots', session, { refused: 1 });
    await askNotices(client, 'reader');
    await askRules(client, session, `/${HIDDEN}`);
    await client.request('identify', personOf(USER), session);
    await page.request('mark-notification-seen', [HIDDEN]);
    await askNotices(client, 'another-visitor');
    expect(await unservedCommands(service)).toEqual([]);
    // Wrongly, over channels and over streams.
    const foreign = await ForeignClient.connect(server.url);
    const producer = await StreamProducer.connect(server.url);
    for (const [i, command] of [...CANONICAL_COMMANDS, HIDDEN].entries()) {
      await foreign.publish(command, session, `_${i}`, `{"${HIDDEN}":`);
      await producer.ask(command === HIDDEN ? 'later' : command, session, `_${i}`, `{"${HIDDEN}":`);
    }
    await producer.add(session, HIDDEN, HIDDEN);
    await waitUntil('all of it is done', async () => (await producer.waiting(session)) === 0);
    await waitUntil('a dead letter is told', () => log.with('dead letter').length > 0);
    await producer.close();
    await foreign.redis.close();
    await page.unseen([`${HIDDEN}\ud800`]);
    expect(told.length).toBeGreaterThan(0);
    const texts = [
      JSON.stringify(log.entries),
      await service.metrics.registry.text(),
      JSON.stringify(client.counters),
      JSON.stringify(told.map(({ message: _, ...rest }) => rest)),
    ];
    for (const text of texts) {
      for (const hidden of [token, token.split('.')[1]!, HIDDEN, USER, TEST_SECRET]) {
        expect(text.includes(hidden), `${hidden} in ${text.slice(0, 200)}`).toBe(false);
      }
    }
    expect(texts[1]).toContain('sessionwise_requests_total');
    expect(log.entries.length).toBeGreaterThan(1);
    for (const degraded of told)
      expect(Object.keys(degraded)).toEqual(expect.arrayContaining(['command', 'session', 'reason']));
  });
});
