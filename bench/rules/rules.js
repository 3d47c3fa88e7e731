// The 200 rules of this part: of five conditions each, over the pages that are viewed most. As on a real site most hold for
// few visitors.
const RULES = 200;
const CLUSTERS = 20;

/** The configuration. `areas`: the pages, the most viewed first. */
export function rulesOf(areas) {
  const page = (i) => areas[i % areas.length];
  const clusters = Object.fromEntries(
    Array.from({ length: CLUSTERS }, (_, i) => [
      `cluster-${i}`,
      areas.filter((_area, j) => j % CLUSTERS === i).slice(0, 15),
    ]),
  );
  const segments = {
    regular: { any: [{ views: 10 }, { daysSinceFirstView: 7 }] },
    buyer: { event: 'bought', withinDays: 30 },
  };
  const suggestions = Array.from({ length: RULES }, (_, i) => ({
    name: `rule-${i}`,
    when: {
      all: [
        { seen: page(i) },
        { any: [{ seen: page(i + 7) }, { event: 'bought', atLeast: 2 }] },
        { cluster: `cluster-${i % CLUSTERS}`, withinDays: 7 },
        { not: { segment: i % 2 ? 'regular' : 'buyer' } },
      ],
    },
    suggest: page(i + 1),
    reason: 'They are often read together.',
    show: { atMost: 3, perDays: 7 },
  }));
  return { clusters, segments, suggestions };
}
