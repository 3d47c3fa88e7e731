import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { formatReport } from '../../../src/cli/replay/format-report.ts';
import { openLog } from '../../../src/cli/replay/read-log.ts';
import { type ReplayOptions, type ReplayOutcome, replay } from '../../../src/cli/replay/replay.ts';
import { failuresOf, notesOf } from '../../../src/cli/replay/verdict.ts';
import { sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { type Service, type ServiceOptions, startService } from '../../../src/service/index.ts';
import { addActiveMinute, addViews, forgetPages, putPagesInFilter } from '../../support/subject-records.ts';
import { useRedis } from '../../support/use-redis.ts';

const SAMPLE = fileURLToPath(new URL('../../../../shared/data/access.log.gz', import.meta.url));
const hasSample = existsSync(SAMPLE);
if (!hasSample) console.warn(`SKIPPED: the replay of a real log, because ${SAMPLE} is absent.`);

const SECRET = 'a secret of the tests';
const keys = new Keys('sw');
const server = useRedis();
const { redis } = server;
let services: Service[] = [];

afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  services = [];
});

async function serve(options: Partial<ServiceOptions> = {}): Promise<void> {
  services.push(await startService({ redis: server.url, secret: SECRET, acceptTimes: true, ...options }));
}

async function* linesOf(lines: readonly (string | undefined)[]): AsyncGenerator<string | undefined> {
  yield* lines;
}

function run(lines: readonly (string | undefined)[], options: Partial<ReplayOptions> = {}): Promise<ReplayOutcome> {
  const log = { name: 'test.log', lines: linesOf(lines) };
  return replay({ log, redis: server.url, namespace: 'sw', verify: true, negativeProbes: 2_000, ...options });
}

function line(ip: string, target: string, time = '17/May/2015:10:05:03 +0000'): string {
  return `${ip} - - [${time}] "GET ${target} HTTP/1.1" 200 1`;
}

function failures({ report, findings }: ReplayOutcome, mustFilter = false, maxBytes?: number): string[] {
  return failuresOf(report, findings, { mustFilter, maxBytes });
}

/** 100 visitors with 10 views of 6 pages in 5 minutes each, in turns. */
const SMALL = Array.from({ length: 1000 }, (_, i) => {
  const turn = Math.floor(i / 100);
  return line(`10.0.0.${i % 100}`, `/page/${turn % 6}`, `17/May/2015:10:0${Math.floor(turn / 2)}:03 +0000`);
});
const VISITOR = sessionOf('10.0.0.7\0');
/** 1,000 visitors with one view each: the fewest whose memory is judged. */
const MANY = Array.from({ length: 1000 }, (_, i) => line(`10.1.${i >> 8}.${i & 255}`, '/'));

describe.skipIf(!hasSample)('a replay of the log of a real site', () => {
  it.each([
    ['by default', {}, { exact: 1217, filter: 0 }],
    ['with a low limit', { seen: { exactLimit: 64 } }, { exact: 1214, filter: 3 }],
    ['with filters only', { seen: { exactLimit: 0 } }, { exact: 0, filter: 1217 }],
  ])('%s the store is as exact as promised', { timeout: 60_000 }, async (_, options, forms) => {
    await serve(options);
    const log = await openLog(SAMPLE);
    const outcome = await replay({ log, redis: server.url, namespace: 'sw', verify: true });
    const { report } = outcome;
    expect(report).toMatchObject({
      requests: 6000,
      sessions: 1217,
      views: 6000,
      uniquePages: { exact: 4810 },
      seen: {
        falseNegatives: 0,
        forms: { exact: { sessions: forms.exact, falsePositives: 0 }, filter: { sessions: forms.filter } },
      },
      activeMinutes: { exact: 2045, stored: 2045 },
      degraded: 0,
      skippedLines: 0,
    });
    expect(report.uniquePages.errorPercent).toBeLessThanOrEqual(3);
    expect(report.seen.falsePositiveRate).toBeLessThanOrEqual(0.01);
    if (forms.filter > 0) expect(report.seen.forms.filter.falsePositiveRate).toBeLessThanOrEqual(0.01);
    expect(report.seen.forms.filter.probes).toBeGreaterThanOrEqual(forms.filter > 0 ? 100_000 : 0);
    expect(report.seen.probes).toBe(report.seen.forms.exact.probes! + report.seen.forms.filter.probes!);
    expect(report.bytesPerSession).toBeGreaterThan(200);
    expect(report.bytesPerSession).toBeLessThanOrEqual(forms.exact === 0 ? 1_280 : 1_024);
    expect(report.requestsPerSecond).toBeGreaterThan(0);
    expect(report.p99Ms).toBeGreaterThanOrEqual(report.p50Ms!);
    expect(failures(outcome, forms.exact === 0)).toEqual([]);
    expect(notesOf(outcome.findings)).toEqual([
      expect.stringMatching(/^1,962 requests stand in the log after/),
      ...(forms.exact === 0 ? [expect.stringMatching(/^All visitors are kept in filters/)] : []),
    ]);
  });
});

it('a replay: a broken log: what is no request is skipped and counted', async () => {
  await serve();
  const outcome = await run([
    line('1.1.1.1', '/a'),
    line('1.1.1.1', '/b?x=1'),
    undefined, // too long
    '',
    '\u0016\u0003\u0001',
    line('1.1.1.1', '*'),
    line('::1', 'http://example.com/a', '17/May/2015:12:05:59 +0200'),
    line('1.1.1.1', '/a', '17/May/2015:10:06:00 +0000').slice(0, 40),
  ]);
  expect(outcome.report).toMatchObject({
    requests: 3,
    sessions: 2,
    views: 3,
    uniquePages: { exact: 3, estimated: 3 },
    activeMinutes: { exact: 2, stored: 2 },
    skippedLines: 5,
  });
  expect(failures(outcome)).toEqual([]);
});

it.each([
  [[], 'empty'],
  [['no', 'request'], 'none of its 2 lines'],
  [['none'], 'its one line'],
])('a replay: a log without a request: %j', async (lines, message) => {
  await serve();
  await expect(run(lines)).rejects.toMatchObject({ code: 'NO_REQUESTS', message: expect.stringContaining(message) });
  // A service that runs for a second has swept once, and has counted the views of the trial.
  const left = await redis.command<string[]>('KEYS', '*');
  expect(left.filter((key) => !key.startsWith('sw:@lease:') && !key.includes(':@site:'))).toEqual(['sw:meta']);
});

it('a replay: without verify what needs it is null, and every key is there', async () => {
  await serve();
  const { report, findings } = await run(SMALL, { verify: false });
  const unknown = { falseNegatives: null, falsePositives: null, falsePositiveRate: null, probes: null };
  expect(report).toEqual({
    requests: 1000,
    sessions: 100,
    views: 1000,
    uniquePages: { exact: null, estimated: 600, errorPercent: null },
    seen: { ...unknown, forms: { exact: { sessions: null, ...unknown }, filter: { sessions: null, ...unknown } } },
    activeMinutes: { exact: null, stored: 500 },
    bytesPerSession: expect.any(Number),
    requestsPerSecond: expect.any(Number),
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
    degraded: 0,
    skippedLines: 0,
  });
  const text = formatReport('test.log', report, findings, undefined);
  expect(text).toMatch(/^test\.log: 1,000 requests, 2015-05-17 10:00 to 2015-05-17 10:04 UTC\n/);
  expect(text).toMatch(/different pages +600 {2}6\.00 a visitor\n/);
  expect(text).toMatch(/seen again +400 {2}40\.0 % of the views/);
  expect(text).toMatch(/bounced +0 {2}0\.0 %/);
  expect(text).not.toContain('Counted exactly');
});

it('a replay: minutes stay exact over more active days than bitmaps are kept for', async () => {
  await serve();
  const days = Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(2015, 0, 1 + 2 * i)));
  const months = ['Jan', 'Feb', 'Mar'];
  const lines = days.flatMap((day) => {
    const date = `${String(day.getUTCDate()).padStart(2, '0')}/${months[day.getUTCMonth()]}/2015`;
    return [10, 12, 14, 16].map((hour) => line('1.1.1.1', '/', `${date}:${hour}:00:00 +0000`));
  });
  const outcome = await run(lines);
  expect(outcome.report.activeMinutes).toEqual({ exact: 160, stored: 160 });
  expect(await redis.command('HLEN', keys.days(sessionOf('1.1.1.1\0')))).toBe(35);
  expect(failures(outcome)).toEqual([]);
});

it('a replay: visitors with one view that have expired are compared on neither side', async () => {
  await serve();
  const outcome = await run([...SMALL, line('9.9.9.9', '/once')], { bounceMs: 0 });
  expect(outcome.report).toMatchObject({ requests: 1001, sessions: 101, views: 1000, uniquePages: { exact: 600 } });
  expect(failures(outcome)).toEqual([]);
  expect(notesOf(outcome.findings)).toEqual([
    expect.stringMatching(/^1 visitor with one view expired/),
    expect.stringMatching(/^Memory is judged from 1,000 visitors up/),
  ]);
});

describe('a replay, before anything is sent', () => {
  it.each([
    ['nobody listens', async () => undefined, 'NO_SERVICE', /No service runs for the namespace "sw"/],
    [
      'times are not accepted',
      () => serve({ acceptTimes: false }),
      'TIMES_NOT_ACCEPTED',
      /start it with --accept-times/,
    ],
    ['some sessions have no service', () => serve({ sessionglob: '[0-9a-w]*' }), 'NO_SERVICE', /begin with x y z in/],
    ['two serve the same', async () => void (await Promise.all([serve(), serve()])), 'NO_SERVICE', /count twice/],
  ])('%s', async (_, start, code, message) => {
    await start();
    await expect(run(SMALL)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(
      (await redis.command<string[]>('KEYS', '*')).filter((key) => key !== 'sw:meta' && !key.startsWith('sw:@lease:')),
    ).toEqual([]);
  });

  it('Redis that is not there is told', async () => {
    await expect(run(SMALL, { redis: 'redis://127.0.0.1:1' })).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});

describe('a replay finds out a store that is wrong', () => {
  // 40 bytes of header and ones: a filter of which every page is a member.
  const fullFilter = Buffer.concat([Buffer.from([0, 0, 0, 6, 0, 0, 0, 100, 0, 0, 0, 100]), Buffer.alloc(400, 0xff)]);
  it.each<[string, () => Promise<unknown>, RegExp[]]>([
    ['a view too many', () => addViews(redis, VISITOR, 1), [/views are not exact: 1,000 .* 1,001/]],
    ['a view too few', () => addViews(redis, VISITOR, -1), [/views are not exact: 1,000 .* 999/]],
    ['pages forgotten', () => forgetPages(redis, VISITOR, 4), [/^4 pages were called unseen/]],
    [
      'the pages of many forgotten',
      () => Promise.all([0, 1, 2, 3, 4].map((i) => forgetPages(redis, sessionOf(`10.0.0.${i}\0`), 6))),
      [/^30 pages were called unseen/, /unique pages are off by 5 % \(600 exact, 570 stored\)/],
    ],
    ['a minute too many', () => addActiveMinute(redis, VISITOR), [/active minutes are not exact: 500 .* 501/]],
    [
      'everything called seen',
      () => putPagesInFilter(redis, VISITOR, fullFilter),
      [/^100\.00 % of unseen pages were called seen/],
    ],
    [
      'a session lost',
      () => redis.command('DEL', ...keys.all(VISITOR)),
      [/views .* 990/, /^6 pages/, /minutes .* 495/],
    ],
  ])('%s', async (_, tamper, expected) => {
    await serve();
    const onPhase = async (phase: string): Promise<void> => void (phase === 'reading back' && (await tamper()));
    const found = failures(await run(SMALL, { onPhase }));
    expect(found).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it('a wrong number in an answer', async () => {
    await serve();
    const onSent = (requests: number): void => {
      if (requests === 1000) void addViews(redis, VISITOR, -1);
      else if (requests === 10) void addViews(redis, VISITOR, 1);
    };
    const found = failures(await run(SMALL, { onSent, concurrency: 1 }));
    expect(found).toEqual([expect.stringMatching(/^9 answers told another number of views/)]);
  });

  describe('too much memory', () => {
    // A kilobyte and a half for each visitor.
    const wasting = (lines: readonly string[]): Promise<ReplayOutcome> => {
      let isWasted = false;
      const onSent = (): void => {
        if (!isWasted) void redis.command('SET', 'sw:waste', 'x'.repeat(1_500 * lines.length));
        isWasted = true;
      };
      return run(lines, { onSent });
    };

    it('1,024 bytes a visitor unless told', async () => {
      await serve();
      const outcome = await wasting(MANY);
      expect(failures(outcome)).toEqual([
        expect.stringMatching(/^a session costs \d,\d{3} bytes on average; 1,024 are allowed \(--max-bytes\)$/),
      ]);
      expect(failures(outcome, false, 10_000)).toEqual([]);
    });

    it('with filters only as much as one is told, and else any', async () => {
      await serve({ seen: { exactLimit: 0 } });
      const outcome = await wasting(MANY);
      expect(failures(outcome, true)).toEqual([]);
      expect(failures(outcome, true, 1_300)).toEqual([expect.stringMatching(/bytes on average; 1,300 are allowed/)]);
    });

    it('not judged of fewer than 1,000 visitors', async () => {
      await serve();
      expect(failures(await wasting(MANY.slice(1)))).toEqual([]);
    });
  });

  it('answers that come too late', async () => {
    await serve();
    const onSent = (requests: number): void =>
      void (requests === 100 && redis.command('CLIENT', 'PAUSE', '200', 'ALL'));
    const outcome = await run(SMALL, { onSent, concurrency: 1, deadlineMs: 50 });
    expect(outcome.report).toMatchObject({ requests: 1000, views: 1000 });
    expect(failures(outcome)).toEqual([expect.stringMatching(/^\d+ views got no answer within their deadline/)]);
  });

  it('a second service that comes while the log is sent', async () => {
    await serve();
    const outcome = await run(SMALL, { onPhase: (phase) => (phase === 'sending' ? serve() : undefined) });
    expect(failures(outcome)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/two instances serve the same sessions/),
        expect.stringMatching(/views are not exact: 1,000 in the log, 2,000 in the store/),
      ]),
    );
  });

  it('visitors that were known before', async () => {
    await serve();
    expect(failures(await run(SMALL))).toEqual([]);
    expect(failures(await run(SMALL))).toEqual([
      expect.stringMatching(/^100 visitors were known before/),
      expect.stringMatching(/views are not exact/),
    ]);
  });

  it('no filter where there had to be some', async () => {
    await serve();
    expect(failures(await run(SMALL), true)).toEqual([expect.stringMatching(/no session keeps its pages in a filter/)]);
  });

  it('the report says so', async () => {
    await serve();
    const outcome = await run(SMALL);
    const text = (found: string[]) => formatReport('test.log', outcome.report, outcome.findings, found);
    expect(text([])).toContain('\nverified: ');
    expect(text(['views are not exact'])).toContain('\nnot verified');
  });
});

it('a replay: an abort is thrown, when nothing is in flight any more', async () => {
  await serve();
  const ending = new AbortController();
  let sent = 0;
  const onSent = (requests: number): void => {
    sent = requests;
    if (requests >= 50) ending.abort(new Error('enough'));
  };
  await expect(run(SMALL, { onSent, concurrency: 8, signal: ending.signal })).rejects.toThrow('enough');
  expect(sent).toBeLessThan(70);
});

it('a replay: a service that stays away is told, and not run past', { timeout: 30_000 }, async () => {
  await serve();
  const onPhase = async (phase: string): Promise<void> =>
    void (phase === 'reading back' && (await services[0]!.stop()));
  await expect(run(SMALL, { onPhase })).rejects.toMatchObject({ code: 'NO_SERVICE', message: /no longer answers/ });
});
