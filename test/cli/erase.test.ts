import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, personOf, SessionClient, SessionData, sessionOf } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret of the tests, long enough';
const KEY = Buffer.alloc(32, 7).toString('base64');
const server = useRedis({ eachTest: 'kept' });

describe('sessionwise erase and export', () => {
  let folder: string;
  let service: Service;
  let store: SessionData;
  let client: SessionClient;
  const cli = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
    runCli([...args, '--redis', server.url], { cwd: folder, env: { SESSIONWISE_SECRET: SECRET, ...env } });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-erase-'));
    service = await startService({ redis: server.url, secret: SECRET });
    store = new SessionData({ redis: server.url, sweep: false, deadlineMs: 10_000, encryption: { keys: [KEY] } });
    client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
    await client.ready();
  });
  afterAll(async () => {
    await client?.close();
    await store?.close();
    await service?.stop();
    rmSync(folder, { recursive: true });
  });

  const signedIn = async (user: string): Promise<string> => {
    const token = createToken();
    await store.save(token, { cart: ['tea'] });
    await store.identify(token, user, { device: 'Kitchen tablet' });
    await client.session(sessionOf(token)).request('pageview', '/pricing');
    return sessionOf(token);
  };

  it('says in words what was erased, and that no archive was named', async () => {
    const session = await signedIn('ada');
    const { code, stdout, stderr } = await cli(['erase', '--user', 'ada']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'Erased:',
      '  1 session',
      '  1 key of what was known',
      '  3 lifecycle events',
      'No archive was named: if there is one, give --archive URL.',
      '',
    ]);
    const again = (await cli(['erase', '--user', 'ada'])).stdout;
    expect(again).toContain('Nothing was there to erase.\n');
    expect(again).toContain('No session was given to this user with identify():');
    expect((await cli(['inspect', session, '--json'])).stdout).toContain('"known":false');
  }, 60_000);

  it('exits with 1 where sessions of the user cannot be read, and says what to do', async () => {
    const session = await signedIn('bob');
    await server.redis.command('SETRANGE', new Keys('sw').record(session), '0', '\u0007');
    const { code, stdout } = await cli(['erase', '--user', 'bob']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^1 sessions that may be the user's cannot be read .* give their ids with --session\.$/m);
    expect(await cli(['erase', '--session', session])).toMatchObject({ code: 0 });
  }, 60_000);

  it('exports as JSON, encrypted data only with their keys', async () => {
    const session = await signedIn('carol');
    const closed = JSON.parse((await cli(['export', '--user', 'carol'])).stdout);
    expect(closed.sessions[0]).toMatchObject({ session, data: null, problem: expect.stringContaining('encrypted') });
    const args = ['export', '--user', 'carol', '--seen', '/pricing', '--seen', '/jobs'];
    const open = await cli(args, { SESSIONWISE_SESSION_KEYS: KEY });
    expect(open).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(open.stdout)).toMatchObject({
      subject: { user: 'carol' },
      exportedAt: expect.stringMatching(/Z$/),
      sessions: [{ session, state: 'living', userId: 'carol', device: 'Kitchen tablet', data: { cart: ['tea'] } }],
      lifecycleEvents: [{ event: 'created' }, { event: 'identified' }],
      knowledge: [{ of: session, views: 1, uniquePages: 1, seen: { '/pricing': true, '/jobs': false } }],
      deadLetters: [],
      archived: null,
    });
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ sessions: { encryptionKeys: [KEY] } }));
    const configured = JSON.parse((await cli(['export', '--session', session, '--config', config])).stdout);
    expect(configured.sessions).toEqual(JSON.parse(open.stdout).sessions);
  }, 60_000);

  it.each(['erase', 'export'])(
    '%s refuses a wrong command line in a sentence, with 2',
    async (command) => {
      const token = createToken();
      const wrong: [string[], RegExp][] = [
        [[], /Give --user ID or --session ID, and not both/],
        [['--user', 'ada', '--session', 'abc'], /and not both/],
        [['--user', 'undefined'], /a missing value makes/],
        [['--user', ''], /no user id/],
        [['--session', 'not a session'], /This is no session id/],
        [['--session', token], new RegExp(`it is a secret.* Its session is ${sessionOf(token)}; give that`)],
        [['--session', personOf('ada')], /the id of a person, whose data are named by the user id: give --user ID/],
        [['--user', 'ada', '--archive', 'mysql://x'], /--archive is no address: give postgres:/],
        [['--user', 'ada', '--everything'], /unknown option/],
        [['ada'], /too many arguments/],
      ];
      for (const [args, sentence] of wrong) {
        const { code, stdout, stderr } = await cli([command, ...args]);
        expect({ code, stdout }, args.join(' ')).toEqual({ code: 2, stdout: '' });
        expect(stderr).toMatch(sentence);
        expect(stderr.trim().split('\n')).toHaveLength(1);
        expect(stderr).not.toContain(token);
      }
    },
    120_000,
  );

  it.each(['erase', 'export'])(
    '%s has help, and ends with 1 where the surroundings are wrong',
    async (command) => {
      const help = await cli([command, '--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      for (const flag of ['--user <id>', '--session <id>', '--archive <url>']) expect(help.stdout).toContain(flag);
      const other = await cli([command, '--user', 'ada'], { SESSIONWISE_SECRET: 'another secret of the tests, long' });
      expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('was made with another secret')]);
      const unknown = await cli([command, '--user', 'ada', '--namespace', 'nowhere']);
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('keeps no namespace')]);
      const away = await cli([command, '--user', 'ada', '--archive', 'postgres://nobody@127.0.0.1:1/x']);
      expect([away.code, away.stdout]).toEqual([1, '']);
    },
    120_000,
  );
});
