import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../../src/adapters/next/index.ts';
import { createToken } from '../../../src/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { testWebObject } from '../web/web-object.suite.ts';

/* create-sessionwise.test.ts: what needs no Next. */

testWebObject('Next', createSessionwise);

describe('createSessionwise of Next', () => {
  const server = useRedis({ eachTest: 'kept' });
  const make = (more: object = {}): Sessionwise => {
    const sw = createSessionwise({ redis: server.url, ...more });
    onTestFinished(() => sw.close());
    return sw;
  };
  const connections = async (): Promise<number> =>
    (await server.redis.command<string>('CLIENT', 'LIST')).match(/ name=sessionwise/g)?.length ?? 0;

  it('shares one connection among the copies of a module, as long as it is open', async () => {
    const [first, second] = [make(), make()];
    expect(second.client).toBe(first.client);
    expect(second.store).toBe(first.store);
    const other = make({ namespace: 'other' });
    expect(other.client).not.toBe(first.client);
    // What cannot be compared is not shared.
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const withLog = { service: { log }, secret: 'a secret of the tests, long enough' };
    expect(make(withLog).client).not.toBe(make(withLog).client);
    await first.close();
    expect(make().client).not.toBe(first.client);
  });

  it('leaves no connection, at whatever moment it is closed', async () => {
    for (const wait of [
      () => undefined,
      () => new Promise(setImmediate),
      (sw: Sessionwise) => sw.store.get(createToken()),
      (sw: Sessionwise) => sw.client.ready(),
    ]) {
      const sw = make();
      sw.session();
      await wait(sw);
      await Promise.all([sw.close(), sw.close()]);
      await waitUntil('nothing is left', async () => (await connections()) === 0);
    }
  });

  it('refuses views that count at the start', () => {
    expect(() => make().knowledge({ countWhen: 'start' })).toThrow(/counts at the end of its answer in Next/);
  });
});
