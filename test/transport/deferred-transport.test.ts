import { describe, expect, it, onTestFinished } from 'vitest';
import { DeferredTransport, InlineTransport } from '../../src/transport/inline/index.ts';
import { collectStrayErrors } from '../support/stray-errors.ts';
import { waitUntil } from '../support/wait-until.ts';

const LONG_MS = 20_000;
const SHORT_MS = 30;

/** The transport of a service that answers everything, and what it was asked. */
function serving(): { inline: InlineTransport; asked: string[] } {
  const asked: string[] = [];
  const inline = new InlineTransport(
    async (command) => {
      asked.push(command);
      return { json: '"done"' };
    },
    () => true,
  );
  onTestFinished(() => inline.close());
  return { inline, asked };
}

describe('a transport whose service is being started', () => {
  it('answers at once that nobody serves, and sends nothing', async () => {
    const transport = new DeferredTransport();
    const before = performance.now();
    expect(await transport.request('surface', 'abc', '[]', LONG_MS)).toEqual({
      answered: false,
      reason: 'nobody-listens',
    });
    expect(await transport.probe('surface', 'abc', LONG_MS)).toBe(false);
    expect(performance.now() - before).toBeLessThan(LONG_MS / 2);
    expect(transport.lateReplies).toBe(0);
  });

  it('holds the views of the first pages until the service runs, in their order', async () => {
    const transport = new DeferredTransport();
    const held = ['pageview', 'active', 'pageview'].map((command) => transport.publish(command, 'abc', '/a'));
    const { inline, asked } = serving();
    transport.open(inline);
    expect(await Promise.all(held)).toEqual([true, true, true]);
    expect(asked).toEqual(['pageview', 'active', 'pageview']);
  });

  it('holds a thousand views, and loses what comes behind them', async () => {
    const transport = new DeferredTransport();
    const held = Array.from({ length: 1_000 }, () => transport.publish('pageview', 'abc', '/a'));
    expect(await transport.publish('pageview', 'abc', '/b')).toBe(false);
    const { inline, asked } = serving();
    transport.open(inline);
    await Promise.all(held);
    expect(asked).toHaveLength(1_000);
  });

  it('loses views when the service could not be started, and holds none from then on', async () => {
    const transport = new DeferredTransport();
    const [held, ready] = [transport.publish('pageview', 'abc', '/a'), transport.ready(LONG_MS)];
    transport.fail(new Error('Redis is away'));
    expect(await held).toBe(false);
    expect(await transport.publish('pageview', 'abc', '/a')).toBe(false);
    const { inline, asked } = serving();
    transport.open(inline);
    expect([await ready, asked]).toEqual([true, []]);
  });

  it('waits for the service with what must be kept, and with the question whether it is ready', async () => {
    const transport = new DeferredTransport();
    const events: string[] = [];
    transport.on('up', () => events.push('up'));
    const kept = transport.sendDurably('mark-item-seen', 'abc', 'lamp', LONG_MS);
    const ready = transport.ready(LONG_MS);
    const { inline, asked } = serving();
    transport.open(inline);
    await kept;
    expect([await ready, asked, events]).toEqual([true, ['mark-item-seen'], ['up']]);
    expect(await transport.request('surface', 'abc', '[]', LONG_MS)).toEqual({ answered: true, json: '"done"' });
    expect(await transport.publish('pageview', 'abc', '/a')).toBe(true);
    expect(await transport.probe('surface', 'abc', LONG_MS)).toBe(true);
  });

  it('says within the deadline that it does not come', async () => {
    const transport = new DeferredTransport();
    expect(await transport.ready(SHORT_MS)).toBe(false);
    const kept = transport.sendDurably('mark-item-seen', 'abc', 'lamp', SHORT_MS);
    await expect(kept).rejects.toMatchObject({ code: 'NOT_KEPT' });
  });

  it('settles what waits when it is closed, and leaves the service alone', async () => {
    const [before, after] = [new DeferredTransport(), new DeferredTransport()];
    const waiting = before.sendDurably('mark-item-seen', 'abc', 'lamp', LONG_MS);
    const [ready, view] = [before.ready(LONG_MS), before.publish('pageview', 'abc', '/a')];
    await before.close();
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_KEPT' });
    expect([await ready, await view]).toEqual([false, false]);
    const { inline } = serving();
    before.open(inline);
    expect(await before.request('surface', 'abc', '[]', LONG_MS)).toEqual({ answered: false, reason: 'disconnected' });
    after.open(inline);
    await after.close();
    expect(await after.publish('pageview', 'abc', '/a')).toBe(false);
    expect(await inline.publish('pageview', 'abc', '/a')).toBe(true);
  });

  it('serves, and goes on trying, whatever a listener of the application throws', async () => {
    const strays = collectStrayErrors();
    const transport = new DeferredTransport();
    const thrown = { up: new Error('of the application: up'), down: new Error('of the application: down') };
    for (const event of ['up', 'down'] as const) {
      transport.on(event, () => {
        throw thrown[event];
      });
    }
    transport.fail(new Error('Redis is away'));
    transport.open(serving().inline);
    expect(await transport.request('surface', 'abc', '[]', LONG_MS)).toEqual({ answered: true, json: '"done"' });
    await waitUntil('both are uncaught', () => strays.length === 2);
    expect(strays).toEqual([thrown.down, thrown.up]);
  });

  it('tells why the service could not be started, while it is open', async () => {
    const transport = new DeferredTransport();
    const told: Error[] = [];
    transport.on('down', (error) => told.push(error));
    const error = new Error('Redis is away');
    transport.fail(error);
    await transport.close();
    transport.fail(error);
    expect(told).toEqual([error]);
  });
});
