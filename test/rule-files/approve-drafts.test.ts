import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Candidate, type Draft, draftsOf } from '../../src/discover/index.ts';
import { addDrafts, approveDrafts, checkDraftsFile, rejectDrafts, withJsonFiles } from '../../src/rule-files/index.ts';
import { checkRules } from '../../src/rules/index.ts';

const AT = Date.UTC(2026, 10, 22);

function candidate(when: string[], suggest: string): Candidate {
  return { when, suggest, baskets: 9, whenBaskets: 10, suggestBaskets: 20, support: 0.1, confidence: 0.9, lift: 4.5 };
}

function drafts(...candidates: Candidate[]): Draft[] {
  return draftsOf(candidates, { baskets: 90, from: 'baskets.csv', at: AT }, new Set());
}

let folder: string;
let draftsFile: string;
let rulesFile: string;
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const write = (file: string, value: unknown): void => writeFileSync(file, JSON.stringify(value));
const approve = (
  names: string[],
  more: { as?: string; reason?: string } = {},
  check: (rules: never) => unknown = checkRules,
) => approveDrafts(names, { draftsFile, rulesFile, now: AT, ...more }, (rules) => void check(rules as never));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-rules-'));
  draftsFile = join(folder, 'drafts.json');
  rulesFile = join(folder, 'rules.json');
  write(draftsFile, { drafts: drafts(candidate(['herbs'], 'root vegetables'), candidate(['a', '/b'], '/c d')) });
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('drafts of candidates', () => {
  it('are rules that the rules accept, with names of their own and figures beside them', () => {
    const [draft] = drafts(candidate(['herbs', 'yogurt'], 'root vegetables'));
    expect(draft).toEqual({
      name: 'herbs-yogurt-root-vegetables',
      when: { all: [{ seen: 'herbs' }, { seen: 'yogurt' }] },
      suggest: 'root vegetables',
      reason: 'Often seen together with herbs and yogurt.',
      unless: { seen: 'root vegetables' },
      found: { baskets: 9, of: 90, confidence: 0.9, lift: 4.5, from: 'baskets.csv', at: '2026-11-22T00:00:00.000Z' },
    });
  });

  it.each([
    [['Käse'], 'Crème brûlée', 'kase-creme-brulee'],
    [['/a/b.html'], '/', 'a-b-html'],
    [['<>'], '&&', 'rule'],
    [['日本語'], '🍜', '日本語'],
    [['x'.repeat(200)], 'y', 'x'.repeat(60)],
  ])('have names that can be typed: %j => %s', (when, suggest, name) => {
    const [draft] = drafts(candidate(when, suggest));
    expect(draft!.name).toBe(name);
    const { found: _, ...rule } = draft!;
    expect(checkRules({ suggestions: [rule] }).suggestions[0]).toMatchObject({ name });
  });

  it('have reasons that can be read, and that the rules accept, also for long items', () => {
    const long = Array.from({ length: 7 }, (_, i) => `${i}${'🍜'.repeat(500)}`);
    const [{ found: _, ...rule }] = drafts(candidate(long, 'b')) as [Draft];
    expect(rule.reason.length).toBeLessThan(700);
    expect(checkRules({ suggestions: [rule] }).suggestions).toHaveLength(1);
  });

  it('never share a name', () => {
    const names = drafts(candidate(['a'], 'b'), candidate(['A'], 'b'), candidate(['a!'], 'b')).map(({ name }) => name);
    expect(names).toEqual(['a-b', 'a-b-2', 'a-b-3']);
  });

  it('are added to those in the file: new figures for the same, and none of those that were decided', () => {
    const [first, second] = drafts(candidate(['a'], 'b'), candidate(['c'], 'd'));
    const decided = [
      { name: 'x', when: { all: [{ seen: 'c' }] }, suggest: 'd', decision: 'rejected' as const, at: '' },
    ];
    const edited = { ...first!, name: 'mine', reason: 'My own words.', found: { ...first!.found, baskets: 1 } };
    const { file, added, decidedBefore } = addDrafts({ drafts: [edited], decided }, [first!, second!]);
    expect({ added, decidedBefore }).toEqual({ added: 0, decidedBefore: 1 });
    expect(file.drafts).toEqual([{ ...edited, found: first!.found }]);
  });
});

describe('approving drafts', () => {
  it('moves them into a new file of rules, without their figures, and remembers the decision', async () => {
    expect(await approve(['herbs-root-vegetables'])).toEqual([{ name: 'herbs-root-vegetables', isNew: true }]);
    expect(read(rulesFile)).toEqual({
      suggestions: [
        {
          name: 'herbs-root-vegetables',
          when: { all: [{ seen: 'herbs' }] },
          suggest: 'root vegetables',
          reason: 'Often seen together with herbs.',
          unless: { seen: 'root vegetables' },
        },
      ],
    });
    expect(read(draftsFile)).toMatchObject({
      drafts: [{ name: 'a-b-c-d' }],
      decided: [{ name: 'herbs-root-vegetables', suggest: 'root vegetables', decision: 'approved' }],
    });
  });

  it('keeps what stands in the file of rules, its indentation and its mode', async () => {
    const rules = {
      $schema: 'x',
      segments: { many: { views: 3 } },
      suggestions: [{ name: 'old', when: { views: 2 }, suggest: 's' }],
    };
    writeFileSync(rulesFile, JSON.stringify(rules, undefined, '\t'));
    // Its group may write, which the umask would take away.
    chmodSync(rulesFile, 0o660);
    await approve(['a-b-c-d'], { as: 'renamed', reason: 'Because.' });
    const { suggestions } = read(rulesFile) as typeof rules;
    expect(read(rulesFile)).toMatchObject({ $schema: 'x', segments: rules.segments });
    expect(suggestions.map(({ name }) => name)).toEqual(['old', 'renamed']);
    expect(suggestions[1]).toMatchObject({ reason: 'Because.' });
    expect(readFileSync(rulesFile, 'utf8')).toMatch(/^\{\n\t"\$schema"/);
    expect(statSync(rulesFile).mode & 0o777).toBe(0o660);
  });

  it('changes the file that a link leads to', async () => {
    const real = join(folder, 'real.json');
    write(real, {});
    symlinkSync(real, rulesFile);
    await approve(['a-b-c-d']);
    expect(read(real)).toMatchObject({ suggestions: [{ name: 'a-b-c-d' }] });
    expect(readdirSync(folder).sort()).toEqual(['drafts.json', 'real.json', 'rules.json']);
  });

  it('is refused where two drafts have the name', async () => {
    const twice = drafts(candidate(['a'], 'b'), candidate(['c'], 'd')).map((draft) => ({ ...draft, name: 'same' }));
    write(draftsFile, { drafts: twice });
    const before = readFileSync(draftsFile, 'utf8');
    const refused = expect.objectContaining({ message: expect.stringContaining('2 drafts named "same"') });
    await expect(approve(['same'])).rejects.toThrow(refused);
    await expect(rejectDrafts(['same'], draftsFile, AT)).rejects.toThrow(refused);
    expect(existsSync(rulesFile)).toBe(false);
    expect(readFileSync(draftsFile, 'utf8')).toBe(before);
  });

  it('of several is all or none', async () => {
    const before = readFileSync(draftsFile, 'utf8');
    await expect(approve(['a-b-c-d', 'nobody'])).rejects.toThrow(
      expect.objectContaining({ code: 'DRAFT_REFUSED', message: expect.stringContaining('no draft named "nobody"') }),
    );
    expect(existsSync(rulesFile)).toBe(false);
    expect(readFileSync(draftsFile, 'utf8')).toBe(before);
    expect(await approve(['a-b-c-d', 'herbs-root-vegetables'])).toHaveLength(2);
    expect(read(draftsFile)).toMatchObject({ drafts: [] });
  });

  it('changes nothing where the rules would be wrong', async () => {
    const wrong = { segments: { many: { view: 3 } } };
    write(rulesFile, wrong);
    await expect(approve(['a-b-c-d'])).rejects.toThrow(/segments\.many/);
    expect(read(rulesFile)).toEqual(wrong);
    expect(read(draftsFile)).toMatchObject({ drafts: [{}, {}] });
    expect(readdirSync(folder).sort()).toEqual(['drafts.json', 'rules.json']);
  });

  it('refuses a name that another rule has, and only takes the draft away where the rule is there already', async () => {
    write(rulesFile, { suggestions: [{ name: 'a-b-c-d', when: { views: 1 }, suggest: 'else' }] });
    await expect(approve(['a-b-c-d'])).rejects.toThrow(/has another rule named "a-b-c-d".*--as/);
    await approve(['a-b-c-d'], { as: 'other' });
    // As after a process that ended between the two files.
    write(draftsFile, { drafts: drafts(candidate(['a', '/b'], '/c d')).map((draft) => ({ ...draft, name: 'other' })) });
    const before = readFileSync(rulesFile, 'utf8');
    expect(await approve(['other'])).toEqual([{ name: 'other', isNew: false }]);
    expect(readFileSync(rulesFile, 'utf8')).toBe(before);
    expect(read(draftsFile)).toMatchObject({ drafts: [] });
  });

  it('of drafts with conditions that a person has written is checked by the rules', async () => {
    const [draft] = drafts(candidate(['a'], 'b'));
    write(draftsFile, { drafts: [{ ...draft, when: { any: [{ seen: 'a' }, { event: 'asked', atLeast: 2 }] } }] });
    await approve(['a-b']);
    expect(read(rulesFile)).toMatchObject({ suggestions: [{ when: { any: [{}, { event: 'asked' }] } }] });
  });

  it.each([
    ['[]', /is no file of drafts/],
    ['{"drafts":[{"name":1}]}', /drafts\[0\]\.name cannot be used: it must be a text/],
    ['{"drafts":[{"name":"a","suggest":"b"}]}', /drafts\[0\]\.when cannot be used: it must be a condition/],
    ['{"drafts":[null]}', /drafts\[0\] cannot be used: it must be an object/],
    ['{', /drafts\.json is not JSON/],
  ])('refuses a file of drafts that holds %s', async (text, message) => {
    writeFileSync(draftsFile, text);
    await expect(approve(['x'])).rejects.toThrow(
      expect.objectContaining({ code: 'RULES_FILE', message: expect.stringMatching(message) }),
    );
    expect(readFileSync(draftsFile, 'utf8')).toBe(text);
  });

  it('refuses a file of rules that is none', async () => {
    write(rulesFile, []);
    await expect(approve(['a-b-c-d'])).rejects.toThrow(/rules\.json is no file of rules/);
  });
});

describe('rejecting drafts', () => {
  it('takes them away, and they are not proposed again', async () => {
    await rejectDrafts(['herbs-root-vegetables'], draftsFile, AT);
    const file = checkDraftsFile(read(draftsFile), draftsFile);
    expect(file.drafts.map(({ name }) => name)).toEqual(['a-b-c-d']);
    expect(addDrafts(file, drafts(candidate(['herbs'], 'root vegetables')))).toMatchObject({
      added: 0,
      decidedBefore: 1,
    });
  });
});

describe('a JSON file that several commands change', () => {
  it('loses nothing: 40 changes at once are 40', async () => {
    const file = join(folder, 'list.json');
    const add = (i: number) =>
      withJsonFiles([file], ([opened]) => opened!.write([...((opened!.value as number[] | undefined) ?? []), i]));
    await Promise.all(Array.from({ length: 40 }, (_, i) => add(i)));
    expect((read(file) as number[]).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(readdirSync(folder)).not.toContain('list.json.lock');
  });

  it('is free again after a process that ended while it had the lock', async () => {
    const lock = { host: (await import('node:os')).hostname(), process: { pid: 2 ** 22 + 1, birth: '1' } };
    write(`${rulesFile}.lock`, lock);
    expect(await approve(['a-b-c-d'])).toHaveLength(1);
    writeFileSync(`${draftsFile}.lock`, 'half of a lo');
    await rejectDrafts(['herbs-root-vegetables'], draftsFile, AT);
    expect(readdirSync(folder).sort()).toEqual(['drafts.json', 'rules.json']);
  });

  it('says so where it cannot be written', async () => {
    rulesFile = join(folder, 'no', 'such', 'rules.json');
    await expect(approve(['a-b-c-d'])).rejects.toThrow(
      expect.objectContaining({
        code: 'RULES_FILE',
        message: expect.stringMatching(/rules\.json cannot be written \(ENOENT\)/),
      }),
    );
    expect(read(draftsFile)).toMatchObject({ drafts: [{}, {}] });
  });
});
