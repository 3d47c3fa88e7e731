import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

const { addRows, faultsOf, readNewestResults, textOf, writeResults } = await benchModule('report/results.js');

const row = (figures: object) => ({ id: 'page/whole/16', rounds: [{ ours: { perSecond: 3 } }, { ours: figures }] });

describe('the results', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-results-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are read as they were written', () => {
    const results = {
      startedAt: '2026-11-22T01:02:03.000Z',
      rows: [row({ perSecond: 4, commands: { get: 1.5 } })],
      empty: [],
    };
    expect(writeResults(results, folder)).toBe(join(folder, '2026-11-22.json'));
    expect(readNewestResults(folder)).toEqual(results);
  });

  it('that count are the newest, and no other file', () => {
    for (const name of ['2026-09-30', '2026-11-02', '2025-12-31', 'notes']) {
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(name));
    }
    expect(readNewestResults(folder)).toBe('2026-11-02');
  });

  it('need not be there', () => {
    expect(readNewestResults(join(folder, 'none'))).toBeUndefined();
  });

  it('stand in lines that can be compared: a side of a round has one', () => {
    const text = textOf({ rows: [row({ perSecond: 4, p50Ms: 1 })] });
    expect(text.split('\n')).toContain('          "ours": {"perSecond":4,"p50Ms":1}');
  });
});

describe('rows of parts that were measured by themselves', () => {
  it('take the place of those of the same id, and say when they were measured', () => {
    const measured = { startedAt: '2026-11-22T01:02:03.000Z', commit: 'abc' };
    const results = {
      rounds: 5,
      rows: [
        { id: 'a', rounds: [1] },
        { id: 'b', rounds: [2] },
      ],
    };
    expect(
      addRows(
        results,
        [
          { id: 'b', rounds: [3] },
          { id: 'c', rounds: [4] },
        ],
        measured,
      ),
    ).toEqual({
      rounds: 5,
      rows: [
        { id: 'a', rounds: [1] },
        { id: 'b', rounds: [3], measured },
        { id: 'c', rounds: [4], measured },
      ],
    });
  });
});

describe('the check of results', () => {
  it('finds nothing where all is there', () => {
    expect(faultsOf({ rows: [row({ perSecond: 4, redisUs: 0, commands: { get: 1 } })] })).toEqual([]);
  });

  it.each([
    [{ perSecond: Number.NaN }, 'perSecond is NaN'],
    [{ perSecond: null }, 'perSecond is null'],
    [{ perSecond: Number.POSITIVE_INFINITY }, 'perSecond is Infinity'],
    [{ p99Ms: 0 }, 'p99Ms is 0'],
    [{ perSecond: 1, redisUs: -1 }, 'redisUs is -1'],
    [{ commands: { get: 1 } }, 'no figures'],
  ])('names what is wrong with %j', (figures, fault) => {
    expect(faultsOf({ rows: [row(figures)] })).toEqual([`page/whole/16, round 2, ours: ${fault}.`]);
  });
});
