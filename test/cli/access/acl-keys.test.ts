import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { AclUser } from '../../../src/cli/access/acl-users.ts';
import { createConnection, Keys } from '../../../src/redis/index.ts';
import { type AclRedis, startAclRedis } from '../../support/acl-redis.ts';
import { hasRedis7 } from '../../support/test-server.ts';

/* What each user may do with each key that the product makes: every command of the server is tried on it, dry. */

const KEYS = new Keys('sw');
// Names that patterns could take for something else.
const SESSIONS = ['visitor', 'a1', 's', 'k', 'due', 'lifecycle', '-', '_9', 'Z'.repeat(128)];
// Lists and notices are named by hashes.
const HASHES = [0, 1, 7_263_549_021, 2 ** 53 - 1];

const PERSON = 'eafqt948iubwkpxhlfo5d9afv_';

const CALCULATED = SESSIONS.flatMap((session) => KEYS.all(session));
const SESSION_DATA = [
  ...SESSIONS.map((session) => KEYS.record(session)),
  ...SESSIONS.map((session) => KEYS.recordBefore(session)),
  ...[KEYS.due(3), KEYS.userSessions('53t0123456789012345678901234'), KEYS.lease('sweep')],
];
/** What the serving layer has nothing to do with. */
const OTHERS = [
  KEYS.meta(),
  ...[KEYS.lease('archive'), KEYS.lease('merge'), KEYS.merging(1)],
  ...[KEYS.merged(PERSON), KEYS.erased(PERSON), KEYS.beside(PERSON)],
  ...[KEYS.besideFilter(PERSON, 'page', 7), KEYS.besideFilter(PERSON, 'item', 0, true)],
  ...SESSIONS.map((session) => KEYS.mirrorBase(session)),
  ...[KEYS.outbox(1), KEYS.moved(), KEYS.absent(1)],
  ...[KEYS.owner(1), KEYS.done(1), KEYS.tries(1), KEYS.deadLetters(1), KEYS.rewritten(1), KEYS.rewrittenLifecycle()],
  ...HASHES.flatMap((list) => [KEYS.noticeList(list), KEYS.noticeRevisions(list), KEYS.noticeListIndex(list)]),
  ...[KEYS.pairCounts(2_968), KEYS.pairNames(2_968)],
  KEYS.noticeIndex(2 ** 53 - 1),
  ...(['seen', 'read'] as const).map((did) => KEYS.noticeReach(2 ** 53 - 1, did)),
  KEYS.noticeHours(0, 0),
  KEYS.noticeHours(2 ** 53 - 1, 3_000),
  ...[KEYS.ruleMarks(), KEYS.segmentSubjects(2 ** 53 - 1, 20_779)],
  ...[KEYS.siteMinute(29_000_000), KEYS.siteVisitors(29_000_000, 'persons'), KEYS.siteNames()],
  KEYS.streamInstances(),
  ...[KEYS.live(), KEYS.listening()],
];
const FOREIGN = [
  ...['sw2', 'shop'].flatMap((namespace) => {
    const other = new Keys(namespace);
    return [other.record('visitor'), other.subject('visitor'), other.due(0), other.requests(0), other.meta()];
  }),
  'shop:async:pageview:visitor:1',
  'somebody:else',
];

/** Arguments of commands that are told how many keys follow. */
const COUNTED: Readonly<Record<string, (key: string) => string[]>> = {
  blmpop: (key) => ['1', '1', key, 'LEFT'],
  bzmpop: (key) => ['1', '1', key, 'MIN'],
  eval: (key) => ['return 1', '1', key],
  eval_ro: (key) => ['return 1', '1', key],
  evalsha: (key) => ['0', '1', key],
  evalsha_ro: (key) => ['0', '1', key],
  fcall: (key) => ['f', '1', key],
  fcall_ro: (key) => ['f', '1', key],
  lmpop: (key) => ['1', key, 'LEFT'],
  sintercard: (key) => ['1', key],
  xread: (key) => ['STREAMS', key, '0'],
  xreadgroup: (key) => ['GROUP', 'g', 'c', 'STREAMS', key, '>'],
  zdiff: (key) => ['1', key],
  zdiffstore: (key) => [key, '1', key],
  zinter: (key) => ['1', key],
  zintercard: (key) => ['1', key],
  zinterstore: (key) => [key, '1', key],
  zmpop: (key) => ['1', key, 'MIN'],
  zunion: (key) => ['1', key],
  zunionstore: (key) => [key, '1', key],
};

/** A command as COMMAND tells it: its own name first, those of its parts at the end. */
type Told = [name: string, arity: number, flags: Iterable<string>, firstKey: number, ...rest: unknown[]];

let redis: AclRedis;
let all: Told[];
let withKeys: { name: string; argsOf: (key: string) => string[] }[];

/** How a command that takes keys is called; undefined for the others. */
function callOf([name, arity, flags, firstKey]: Told): ((key: string) => string[]) | undefined {
  if (COUNTED[name]) return COUNTED[name];
  // To COMMAND a sharded channel looks like a key.
  if ([...flags].includes('pubsub')) return undefined;
  if ([...flags].includes('movablekeys') && firstKey === 0) throw new Error(`How is ${name} called?`);
  const count = Math.max(Math.abs(arity) - name.split('|').length, firstKey - name.split('|').length + 1);
  return firstKey === 0 ? undefined : (key) => Array.from({ length: count }, () => key);
}

beforeEach(({ skip }) => skip(!hasRedis7, 'ACL DRYRUN came with Redis 7.0'));
beforeAll(async () => {
  if (!hasRedis7) return;
  redis = await startAclRedis({ store: true, transport: 'both', importFrom: 'sess:' });
  const told = await redis.admin.command<Told[]>('COMMAND');
  all = told.flatMap((command) => {
    const parts = command.at(-1) as Told[];
    return parts.length > 0 ? parts : [command];
  });
  withKeys = all.flatMap((command) => {
    const argsOf = callOf(command);
    return argsOf ? [{ name: command[0], argsOf }] : [];
  });
});
afterAll(() => redis?.stop());

async function mayRun(
  user: AclUser['name'] | 'admin',
  command: string,
  args: readonly string[],
  { admin } = redis,
): Promise<boolean> {
  return (await admin.command('ACL', 'DRYRUN', user, ...command.split('|'), ...args)) === 'OK';
}

/** What a user may do with each of some keys. */
async function expectAllowed(user: AclUser['name'], keys: readonly string[], expected: readonly string[], on = redis) {
  for (const key of keys) {
    const verdicts = await Promise.all(withKeys.map(({ name, argsOf }) => mayRun(user, name, argsOf(key), on)));
    const allowed = withKeys.filter((_, i) => verdicts[i]).map(({ name }) => name);
    expect([key, allowed.sort()]).toEqual([key, [...expected].sort()]);
  }
}

it('the keys are all that the product makes, and the commands all that the server has for keys', async () => {
  const known = ['constructor', 'everything', 'all', 'requests', 'archiving', 'ended', 'outbox', 'moved', 'absent'];
  const listed = [
    'meta',
    'lease',
    'owner',
    'done',
    'tries',
    'deadLetters',
    'noticeList',
    'noticeListIndex',
    'noticeRevisions',
    'noticeHours',
    'noticeReach',
    'noticeIndex',
    'pairCounts',
    'pairNames',
    'ruleMarks',
    'segmentSubjects',
    'listening',
    'streamInstances',
    'rewritten',
    'rewrittenLifecycle',
    'erasing',
    'merging',
    'merged',
    'erased',
    'beside',
    'besideFilter',
    'siteMinute',
    'siteVisitors',
    'siteNames',
  ];
  const data = [
    'subject',
    'seenFilter',
    'uniqueCount',
    'days',
    'foreignNotices',
    'noticeStates',
    'ownNotices',
    'claim',
    'record',
    'recordBefore',
    'mirrorBase',
    'due',
  ];
  expect(Object.getOwnPropertyNames(Keys.prototype).sort()).toEqual(
    [...known, ...listed, ...data, 'userSessions', 'lifecycle', 'live'].sort(),
  );
  expect(withKeys.length).toBeGreaterThan(150);
  // A dry run says yes where everything is allowed.
  const verdicts = await Promise.all(withKeys.map(({ name, argsOf }) => mayRun('admin', name, argsOf('any'))));
  expect(withKeys.filter((_, i) => !verdicts[i]).map(({ name }) => name)).toEqual([]);
});

describe('under the rules of sessionwise acl the serving layer', () => {
  it('can neither read nor write what is kept of a session, nor anything else of the namespace', async () => {
    const ended = [KEYS.ended(1), KEYS.archiving(1)];
    await expectAllowed('app', [...CALCULATED, ...SESSION_DATA, KEYS.lifecycle(), ...OTHERS, ...ended, ...FOREIGN], []);
  });

  it('can add to the streams and wait for its lists', async () => {
    await expectAllowed('app', [KEYS.requests(5)], ['eval', 'evalsha', 'xadd', 'xlen']);
    await expectAllowed('app', ['async:pageview:visitor:1'], ['blpop', 'expire']);
  });
});

describe('under the rules of sessionwise acl a serving layer with live streams', () => {
  it('reads what happens with notices and sessions, and writes none of it', async () => {
    const live = await startAclRedis({ live: true });
    onTestFinished(() => live.stop());
    await expectAllowed('app', [KEYS.live(), KEYS.lifecycle()], ['xread', 'xrange', 'xrevrange'], live);
    const others = OTHERS.filter((key) => key !== KEYS.live());
    await expectAllowed('app', [CALCULATED[0]!, SESSION_DATA[0]!, ...others, ...FOREIGN], [], live);
  });
});

describe('under the rules of sessionwise acl the store', () => {
  it('keeps session data', async () => {
    const read = ['exists', 'get', 'getrange', 'pttl', 'zcount', 'zrange', 'zrangebyscore', 'zscore'];
    const write = ['del', 'unlink', 'pexpireat', 'set', 'setrange', 'zadd', 'zrem', 'zremrangebyscore', 'xadd'];
    await expectAllowed('store', SESSION_DATA, [...read, ...write, 'eval', 'evalsha']);
    // It exports and erases the events of a user's sessions.
    await expectAllowed('store', [KEYS.lifecycle()], [...read, ...write, 'eval', 'evalsha', 'xrange', 'xdel']);
  });

  it('can delete what was calculated and move its end, and reads nothing of it', async () => {
    const subjects = SESSIONS.map((session) => KEYS.subject(session));
    // An ended session's record becomes an empty one.
    await expectAllowed('store', subjects, ['unlink', 'pexpireat', 'set']);
    const others = CALCULATED.filter((key) => !subjects.includes(key));
    await expectAllowed('store', others, ['unlink', 'pexpireat']);
  });

  it('hands over to an archive, and reads from it no more than who waits', async () => {
    // It finds those of a user, and erases them.
    await expectAllowed('store', [KEYS.ended(1)], ['zadd', 'eval', 'evalsha', 'zscan', 'zrem']);
    await expectAllowed('store', [KEYS.archiving(1)], ['exists']);
  });

  it('can do nothing with the rest, but take over what it was told to', async () => {
    await expectAllowed('store', [...OTHERS, KEYS.requests(5), 'async:pageview:visitor:1', ...FOREIGN], []);
    await expectAllowed('store', ['sess:token'], ['del', 'get', 'pttl']);
  });
});

describe('under the rules of sessionwise acl a store that writes for connect-redis too', () => {
  it('writes there, keeps what it wrote, and reads nothing else', async () => {
    const mirroring = await startAclRedis({ store: true, mirrorTo: 'sess:' });
    onTestFinished(() => mirroring.stop());
    const base = KEYS.mirrorBase(SESSIONS[0]!);
    await expectAllowed('store', ['sess:token'], ['del', 'get', 'pttl', 'set', 'unlink'], mirroring);
    const kept = ['eval', 'evalsha', 'hget', 'hmget', 'hset', 'pexpireat', 'unlink'];
    await expectAllowed('store', [base], kept, mirroring);
    await expectAllowed('store', [...OTHERS.filter((key) => !key.endsWith(':cr')), ...FOREIGN], [], mirroring);
    // The service erases users.
    await expectAllowed('service', ['sess:token'], ['unlink'], mirroring);
  });
});

describe('under the rules of sessionwise acl a store that archives', () => {
  it('reads records of subjects and counts of pages, whose items are encrypted, and nothing else', async () => {
    const archiving = await startAclRedis({ store: true, archive: true });
    onTestFinished(() => archiving.stop());
    const session = SESSIONS[0]!;
    const ends = ['unlink', 'pexpireat', 'pexpire', 'pttl', 'eval', 'evalsha'];
    const [subject, pageCount] = [KEYS.subject(session), KEYS.uniqueCount(session, 'page')];
    const others = KEYS.all(session).filter((key) => key !== subject && key !== pageCount);
    await expectAllowed('store', [subject], [...ends, 'get', 'set'], archiving);
    await expectAllowed('store', [pageCount], [...ends, 'pfcount'], archiving);
    await expectAllowed('store', others, ends, archiving);
    await expectAllowed('store', [...OTHERS.filter((key) => key !== KEYS.lease('archive')), ...FOREIGN], [], archiving);
  });
});

describe('under the rules of sessionwise acl the service', () => {
  it('reaches no other namespace', () => expectAllowed('service', FOREIGN, []));
});

describe('under the rules of sessionwise acl nobody', () => {
  it('has a command that administers or endangers the server, but for two', async () => {
    const categories = ['admin', 'dangerous'].map((name) => redis.admin.command<string[]>('ACL', 'CAT', name));
    const dangerous = [...new Set((await Promise.all(categories)).flat())];
    expect(dangerous).toEqual(expect.arrayContaining(['flushall', 'keys', 'config|set', 'client|kill']));
    for (const [user, expected] of [
      ['app', ['client|unblock']],
      ['store', []],
      ['service', ['info']],
    ] as const) {
      const verdicts = await Promise.all(
        all.map(([name, arity]) => {
          const args = Array.from({ length: Math.abs(arity) - name.split('|').length }, () => '1');
          return redis.admin.command<string>('ACL', 'DRYRUN', user, ...name.split('|'), ...args);
        }),
      );
      const mayRun = all.map(([name]) => name).filter((_, i) => !verdicts[i]!.includes('no permissions to run'));
      expect(mayRun.length).toBeLessThan(80);
      expect([user, mayRun.filter((name) => dangerous.includes(name))]).toEqual([user, expected]);
    }
  });

  it('gets by a script what a command refuses', async () => {
    const seen = KEYS.seenFilter('visitor', 'page');
    await redis.admin.command('SADD', seen, '1');
    for (const user of ['app', 'store'] as const) {
      const connection = await createConnection(redis.as(user)).connect();
      const script = `return redis.call('SMEMBERS', '${seen}')`;
      await expect(connection.command('EVAL', script, '0')).rejects.toThrow(
        /can't run this command|no permissions to run/, // 7.0 and before; Redis 7.4 and Valkey 7.2 on
      );
      await expect(connection.command('SMEMBERS', seen)).rejects.toThrow(/^NOPERM/);
      await connection.close();
    }
  });

  it('hears or says more than its own part on channels', async () => {
    for (const [user, name, channel, expected] of [
      ['app', 'PUBLISH', 'ss:pageview:visitor:1', true],
      ['app', 'SUBSCRIBE', 'async:inbox', true],
      ['app', 'SSUBSCRIBE', 'async:inbox', false],
      ['app', 'SUBSCRIBE', 'ss:pageview:visitor:1', false],
      ['app', 'PSUBSCRIBE', 'async:*', false],
      ['app', 'PUBLISH', 'async:_instances', false],
      ['app', 'PUBLISH', 'shop:ss:pageview:visitor:1', false],
      ['store', 'PUBLISH', 'ss:pageview:visitor:1', false],
      ['store', 'SUBSCRIBE', 'async:inbox', false],
      ['service', 'PSUBSCRIBE', 'ss:pageview:?*:?*', true],
      ['service', 'PSUBSCRIBE', 'ss:pageview:?*', false],
      ['service', 'PSUBSCRIBE', '*', false],
      ['service', 'PUBLISH', 'async:inbox', true],
      ['service', 'PUBLISH', 'ss:pageview:visitor:1', false],
      ['service', 'SUBSCRIBE', 'async:_instances', true],
      ['service', 'SUBSCRIBE', 'async:inbox', false],
    ] as const) {
      const args = name === 'PUBLISH' ? [channel, 'x'] : [channel];
      expect([user, name, channel, await mayRun(user, name, args)]).toEqual([user, name, channel, expected]);
    }
  });
});
