import { describe, expect, it } from 'vitest';
import { RuleTrial } from '../../../src/cli/rules/rule-trial.ts';
import { MemoryBudget } from '../../../src/discover/index.ts';
import { checkRules, type Rules } from '../../../src/rules/index.ts';

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

/** Tries rules on views: `a:/x` is a view of /x by the visitor a, each a minute behind the one before. */
function tryOn(rules: Rules, views: readonly string[], budget = new MemoryBudget(16 * MIB)) {
  const trial = new RuleTrial(checkRules(rules), budget);
  for (const [i, view] of views.entries()) {
    const [visitor, page] = view.split(':');
    trial.view(visitor!, page!, (1_000_000 + i) * MINUTE_MS);
  }
  return trial.finish();
}

const CABLE = {
  name: 'cable',
  when: { all: [{ seen: '/tv' }, { cluster: 'shop', atLeast: 2 }] },
  unless: { seen: '/cable' },
  suggest: '/cable',
};
const RULES = { clusters: { shop: ['/tv', '/radio'] }, suggestions: [CABLE], segments: { many: { views: 3 } } };

describe('a trial of rules on a log', () => {
  it('counts visitors and views for whom a rule held, with the page that is being viewed', () => {
    const report = tryOn(RULES, ['a:/tv', 'a:/radio', 'a:/x', 'b:/tv', 'c:/x']);
    expect(report).toMatchObject({ visitors: 3, views: 5, rules: [{ name: 'cable', visitors: 1, views: 2 }] });
    expect(report.segments).toEqual([{ name: 'many', visitors: 1 }]);
  });

  it('counts what was missing for the others when they came closest, and for whom it was all', () => {
    const { rules } = tryOn(RULES, ['a:/tv', 'b:/radio', 'b:/radio', 'c:/cable', 'c:/tv', 'c:/radio', 'd:/x']);
    expect(rules[0]!.conditions).toEqual([
      { place: 'when.all[0]', condition: { seen: '/tv' }, missing: 2, missingAlone: 1 },
      { place: 'when.all[1]', condition: { cluster: 'shop', atLeast: 2 }, missing: 2, missingAlone: 1 },
      { place: 'unless', condition: { not: { seen: '/cable' } }, missing: 1, missingAlone: 1 },
    ]);
  });

  it('counts a condition that held once at its best: a new visitor is new at the first view only', () => {
    const { rules } = tryOn(
      { suggestions: [{ name: 'n', when: { all: [{ newToSite: true }, { seen: '/b' }] }, suggest: 's' }] },
      ['a:/a', 'a:/b', 'b:/b'],
    );
    expect(rules[0]).toMatchObject({ visitors: 1, views: 1 });
    expect(rules[0]!.conditions.map(({ missing }) => missing)).toEqual([1, 0]);
  });

  it('refuses more memory than is allowed', () => {
    const views = Array.from({ length: 3_000 }, (_, i) => `visitor ${i}:/tv`);
    expect(() => tryOn(RULES, views, new MemoryBudget(MIB))).toThrow(/more than 1 MiB.*shorter part of the log/);
  });
});
