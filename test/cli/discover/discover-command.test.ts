import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/run-cli.ts';

/* The commands, as a person types them. */

const BASKETS = [
  ...Array.from({ length: 6 }, () => 'herbs,root vegetables'),
  ...Array.from({ length: 2 }, () => 'herbs'),
  ...Array.from({ length: 12 }, () => 'milk,butter'),
  ...Array.from({ length: 5 }, () => 'milk'),
];

describe('sessionwise discover and rules', () => {
  let folder: string;
  const run = (...args: string[]) => runCli(args, { cwd: folder });
  const fine = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const fails = async (args: string[], code: number, message: RegExp): Promise<void> => {
    const result = await run(...args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-discover-'));
    file('baskets.csv', `${BASKETS.join('\n')}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells candidates in words', async () => {
    expect(await fine('discover', 'baskets.csv', '--top', '2')).toBe(`\
baskets.csv: 25 baskets, 4 different items.

4 rules in at least 5 baskets, right in at least 25 % of the cases: 4 of 2 items.
The best 2:

1.  root vegetables => herbs
    Of 6 baskets that hold root vegetables, 6 also hold herbs (100 %).
    Of all baskets 32 % do: 3.1 times as many.

2.  herbs => root vegetables
    Of 8 baskets that hold herbs, 6 also hold root vegetables (75 %).
    Of all baskets 24 % do: 3.1 times as many.
`);
  });

  it('tells them as JSON, and takes a share, a number and a percentage as support', async () => {
    const json = async (...args: string[]) => JSON.parse(await fine('discover', 'baskets.csv', '--json', ...args));
    expect(await json('--support', '7')).toMatchObject({ file: 'baskets.csv', format: 'csv', minCount: 7, rules: 2 });
    expect(await json('--support', '0.3')).toMatchObject({ minCount: 8 });
    expect(await json('--support', '30%')).toMatchObject({ minCount: 8 });
    expect(await json('--confidence', '80%', '--lift', '1.2')).toMatchObject({ rules: 2, liftedRules: 2 });
  });

  it('says what to try where nothing was found', async () => {
    expect(await fine('discover', 'baskets.csv', '--support', '20')).toContain('Try a lower --support');
  });

  it('writes drafts, which are listed, approved and rejected, and not proposed again', async () => {
    expect(await fine('discover', 'baskets.csv', '--out', 'drafts.json')).toContain(
      'drafts.json holds 4 drafts, 4 of them new.',
    );
    expect(await fine('rules', 'drafts')).toContain('herbs-root-vegetables\n    when {"all":[{"seen":"herbs"}]}');
    expect(JSON.parse(await fine('rules', 'drafts', '--json'))).toHaveLength(4);
    expect(await fine('rules', 'approve', 'herbs-root-vegetables')).toBe(
      'Approved "herbs-root-vegetables" in rules.json.\n',
    );
    expect(await fine('rules', 'reject', 'milk-butter')).toBe('Rejected "milk-butter": it is not proposed again.\n');
    const config = file('config.json', '{"rules":"rules.json"}');
    expect(JSON.parse(await fine('rules', 'approve', 'butter-milk', '--config', config, '--json'))).toMatchObject({
      approved: [{ name: 'butter-milk', isNew: true }],
    });
    const { suggestions } = JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8'));
    expect(suggestions.map(({ name }: { name: string }) => name)).toEqual(['herbs-root-vegetables', 'butter-milk']);
    expect(await fine('discover', 'baskets.csv', '--out', 'drafts.json')).toContain(
      'drafts.json holds 1 draft, 0 of them new. 3 were approved or rejected before and are left out.',
    );
  });

  it('two approvals at once lose nothing', async () => {
    await fine('discover', 'baskets.csv', '--out', 'race.json');
    const names: string[] = JSON.parse(await fine('rules', 'drafts', '--drafts', 'race.json', '--json')).map(
      ({ name }: { name: string }) => name,
    );
    const approvals = names.map((name) =>
      run('rules', 'approve', name, '--drafts', 'race.json', '--rules', 'raced.json'),
    );
    for (const { code, stderr } of await Promise.all(approvals))
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { suggestions } = JSON.parse(readFileSync(join(folder, 'raced.json'), 'utf8'));
    expect(suggestions.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort());
  });

  it('tries rules on a log, and drafts before they are approved', async () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';
    const view = (ip: string, path: string, second: number): string =>
      `${ip} - - [17/May/2015:10:05:${String(second).padStart(2, '0')} +0000] "GET ${path} HTTP/1.1" 200 9 "-" "${agent}"`;
    const lines = ['1', '2', '3', '4', '5', '6'].flatMap((ip, i) => [view(ip, '/a', i), view(ip, '/b', 20 + i)]);
    file('access.log', [...lines, view('7', '/a', 50), view('8', '/c', 51)].join('\n'));
    await fine('discover', 'access.log', '--out', 'pages.json');
    expect(await fine('rules', 'test', 'pages.json', '--replay', 'access.log')).toBe(`\
pages.json on access.log: 8 visitors, 14 views.

b-a
    Holds for 0 visitors (0.0 %), at 0 views.
    Of the other 8, when they came closest:
      2 lacked seen /b; nothing else: 1
      7 lacked not (seen /a); nothing else: 6

a-b
    Holds for 7 visitors (87.5 %), at 7 views.
    Of the other 1, when they came closest:
      1 lacked seen /a; nothing else: 1
`);
    file(
      'rules-test.json',
      '{"segments":{"all":{"views":1}},"suggestions":[{"name":"e","when":{"event":"x"},"suggest":"y"}]}',
    );
    const text = await fine('rules', 'test', 'rules-test.json', '--replay', 'access.log');
    expect(text).toContain('8 lacked event x (a log does not know it); nothing else: 8');
    expect(text).toContain('Segment all: 8 visitors (100.0 %).');
    expect(
      JSON.parse(await fine('rules', 'test', 'rules-test.json', '--replay', 'access.log', '--json')),
    ).toMatchObject({
      visitors: 8,
      rules: [{ name: 'e', visitors: 0, conditions: [{ place: 'when', missing: 8 }] }],
    });
  });

  it('names no visitor of a log: no address, no User-Agent and no query', async () => {
    const line = (ip: string, path: string): string =>
      `203.0.113.${ip} - hidden-user [17/May/2015:10:05:00 +0000] "GET ${path}?token=hidden-query HTTP/1.1" 200 9 "http://hidden-site/" "Mozilla/5.0 HiddenBrowser/1"`;
    const lines = ['1', '2', '3', '4', '5', '6'].flatMap((ip) => [line(ip, '/a'), line(ip, '/b')]);
    file('visitors.log', [...lines, line('7', '/c')].join('\n'));
    const told = [
      await fine('discover', 'visitors.log', '--out', 'visitors.json'),
      await fine('discover', 'visitors.log', '--json'),
      await fine('rules', 'test', 'visitors.json', '--replay', 'visitors.log'),
      await fine('rules', 'test', 'visitors.json', '--replay', 'visitors.log', '--json'),
      readFileSync(join(folder, 'visitors.json'), 'utf8'),
    ];
    for (const text of told) {
      expect(text).toContain('/a');
      for (const hidden of ['203.0.113', 'HiddenBrowser', 'hidden']) expect(text).not.toContain(hidden);
    }
  });

  it('wrong flags: code 2, in one sentence', async () => {
    const on = (...flags: string[]) => ['discover', 'baskets.csv', ...flags];
    await fails(['discover'], 2, /Give a file, or --live, and not both/);
    await fails(on('--live'), 2, /Give a file, or --live, and not both/);
    for (const support of ['0', '1', '1.5', '100%', '-1', 'few', '']) {
      await fails(on(`--support=${support}`), 2, new RegExp(`--support is "${support}": give a share`));
    }
    await fails(on('--confidence', '2'), 2, /--confidence is "2": give a share as 0\.25 or 25%/);
    await fails(on('--lift', 'high'), 2, /--lift is "high": give a number/);
    await fails(on('--max-items', '1'), 2, /--max-items is "1": give a whole number from 2 to 8/);
    await fails(on('--top', '0'), 2, /--top is "0"/);
    await fails(on('--max-memory', '1'), 2, /--max-memory is "1"/);
    await fails(on('--format', 'xml'), 2, /--format/);
    await fails(on('--delimiter', '"'), 2, /--delimiter is """/);
    await fails(on('--weeks', '9'), 2, /--weeks is "9"/);
    await fails(
      ['discover', '--live', '--redis', 'redis://127.0.0.1:1'],
      2,
      /No names are registered: give the --config/,
    );
    await fails(['rules'], 2, /The action is missing: give rules counts, drafts, approve, reject or test/);
    await fails(['rules', 'aprove'], 2, /The action aprove is unknown/);
    await fails(['rules', 'approve'], 2, /missing required argument 'name'/);
    await fails(['rules', 'approve', 'a', 'b', '--as', 'c'], 2, /--as and --reason are for a single draft/);
    await fails(['rules', 'approve', 'a', '--as', ''], 2, /--as cannot be used/);
    await fails(['rules', 'test', 'baskets.csv'], 2, /--replay/);
  }, 60_000);

  it('files that cannot be used: code 1, or 2 where rules are wrong, in one sentence', async () => {
    await fails(['discover', 'none.csv'], 1, /The file none\.csv cannot be read: there is no such file/);
    await fails(['discover', file('empty.csv', '')], 1, /empty\.csv holds no baskets/);
    await fails(
      ['discover', file('broken.json', '[[[\n"open\n'), '--format', 'json'],
      1,
      /holds no baskets\. 2 lines could not be read as json/,
    );
    await fails(
      ['discover', 'baskets.csv', '--support', '2', '--max-memory', '16', '--out', 'baskets.csv'],
      1,
      /baskets\.csv is not JSON/,
    );
    const huge = file('huge.csv', `${Array.from({ length: 3_000 }, (_, i) => `item ${i}`).join(',')}\n`.repeat(2));
    await fails(
      ['discover', huge, '--support', '2'],
      1,
      /more than 1,000,000 frequent sets of items: give a higher support/,
    );
    await fails(['rules', 'approve', 'nobody'], 1, /no draft named "nobody"/);
    await fails(['rules', 'test', 'none.json', '--replay', 'access.log'], 1, /none\.json cannot be read/);
    await fails(
      ['rules', 'test', file('wrong.json', '{"suggestions":[{"name":"a"}]}'), '--replay', 'access.log'],
      2,
      /wrong\.json: suggestions\[0\]\.when/,
    );
    await fails(
      ['rules', 'test', file('no-rules.json', '{}'), '--replay', 'baskets.csv'],
      1,
      /baskets\.csv holds no views of pages/,
    );
  }, 60_000);
});
