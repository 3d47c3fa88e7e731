import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { Keys, PARTITIONS } from '../../src/redis/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { ended, MAIN, startCli } from '../support/run-cli.ts';
import { postgresFolder, startTestPostgres, type TestPostgres } from '../support/test-postgres.ts';
import { ARCHIVE_MIGRATION } from '../support/use-archive.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const KEY = '0f'.repeat(32);

describe.skipIf(postgresFolder === undefined)('sessionwise serve with an archive', () => {
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let postgres: TestPostgres;
  let folder: string;
  const keys = new Keys('sw');

  beforeAll(async () => {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run \`npm run build\` first, as \`npm test\` does.`);
    folder = mkdtempSync(join(tmpdir(), 'sw-serve-'));
    postgres = await startTestPostgres();
    await postgres.query(ARCHIVE_MIGRATION.replaceAll('archived_sessions', 'ended_ones'));
  });
  afterAll(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await postgres.query('TRUNCATE ended_ones');
  });

  /** `serve` with `config`, and what it writes. */
  function serve(config: object, env: NodeJS.ProcessEnv): () => string {
    const file = join(folder, 'sessionwise.json');
    writeFileSync(file, JSON.stringify(config));
    const child = startCli(['serve', '--redis', server.url, '--config', file, '--log-level', 'warn'], {
      cwd: folder,
      env: { SESSIONWISE_SECRET: SECRET, ...env },
    });
    onTestFinished(async () => {
      child.kill('SIGTERM');
      expect(await ended(child)).toBe(0);
    });
    return child.output;
  }

  async function endSealedSession(): Promise<string> {
    const store = new SessionData({ redis: server.url, sweep: false, encryption: { keys: [KEY] } });
    onTestFinished(() => store.close());
    const token = createToken();
    await store.save(token, { plan: 'sealed' });
    await store.end(token);
    return sessionOf(token);
  }

  const rows = () => postgres.query('SELECT session, data FROM ended_ones');
  const isArmed = () =>
    waitUntil('ended sessions are kept', async () => {
      const armed = Array.from({ length: PARTITIONS }, (_, partition) => keys.archiving(partition));
      return (await redis.command<number>('EXISTS', ...armed)) === PARTITIONS;
    });

  it('takes database and keys from the configuration', async () => {
    const output = serve(
      { archive: { postgres: postgres.connectionString, table: 'ended_ones' }, sessions: { encryptionKeys: [KEY] } },
      {},
    );
    await isArmed();
    const session = await endSealedSession();
    await waitUntil('it is archived', async () => (await rows()).some((row) => row.session === session));
    expect((await rows()).find((row) => row.session === session)!.data).toEqual({ plan: 'sealed' });
    expect(output()).toBe('');
  });

  it('takes database and keys from the environment, tells that the database is away, and goes on', async () => {
    await postgres.kill();
    const env = { SESSIONWISE_ARCHIVE_POSTGRES: `${postgres.connectionString}&password=hidden` };
    const output = serve({ archive: { table: 'ended_ones' } }, { ...env, SESSIONWISE_SESSION_KEYS: KEY });
    await waitUntil('it is told', () => output().includes('The archive cannot be written to now'));
    await postgres.restart();
    await isArmed();
    const session = await endSealedSession();
    await waitUntil('it is archived', async () => (await rows()).some((row) => row.session === session));
    expect(output()).not.toContain('hidden');
    expect(output()).not.toContain(KEY);
  });
});
