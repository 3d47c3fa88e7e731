import { describe, expect, it } from 'vitest';
import { normalizeItem } from '../../src/protocol/index.ts';
import { checkClusters, PageClusters } from '../../src/rules/clusters.ts';
import { SeededRandom } from '../support/seeded-random.ts';

/** What a pattern means, as a regular expression: plain, and slow on hostile paths. */
function plain(pattern: string): RegExp {
  const parts = pattern
    .slice(1)
    .split('/')
    .map((segment) => (segment === '**' ? '(?:/[^/]*)*' : `/${segment.replace('*', '[^/]*')}`));
  return new RegExp(`^${parts.join('')}$`);
}

describe('clusters of pages', () => {
  it('have the pages that their patterns mean', () => {
    const random = new SeededRandom(13);
    const textOf = (parts: readonly string[], most: number): string =>
      Array.from({ length: 1 + random.below(most) }, () => `/${random.pick(parts)}`).join('');
    let matched = 0;
    for (let i = 0; i < 5_000; i += 1) {
      const pattern = textOf(['a', 'b', 'ab', '', '*', 'a*', '*b', 'a*a', '**', '**'], 5);
      if (pattern.split('/').filter((segment) => segment === '**').length > 2) continue;
      const path = textOf(['a', 'b', 'ab', 'aa', 'aba', '', 'c'], 7);
      const found = new PageClusters({ x: [pattern] }).of(path).length === 1;
      expect(found, `${pattern} of ${path}`).toBe(plain(pattern).test(path));
      if (found) matched += 1;
    }
    expect(matched).toBeGreaterThan(500);
    expect(new PageClusters({ all: ['/**'], root: ['/'] }).of('/')).toEqual(['all', 'root']);
    expect(new PageClusters({ all: ['/**'] }).of('leaflet')).toEqual([]);
  });

  it('are found at once, whatever path a visitor asks for', () => {
    const patterns = Array.from({ length: 20 }, (_, i) => `/**/a/**/b${i}`);
    const clusters = new PageClusters(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, patterns])));
    expect(clusters.of('/a'.repeat(1_023))).toEqual([]);
    expect(clusters.of('/'.repeat(2_047))).toEqual([]);
    expect(clusters.of(`${'/a'.repeat(1_020)}/b7`)).toHaveLength(10);
  }, 5_000);

  it('are of paths as the service reduces them', () => {
    const clusters = new PageClusters({ cafe: ['/café/*'], told: ['/a b/**'], dots: ['/x/../tv/*'] });
    expect(clusters.of(normalizeItem('/café/menu'))).toEqual(['cafe']);
    expect(clusters.of(normalizeItem('/a b/c'))).toEqual(['told']);
    expect(clusters.of(normalizeItem('/tv/1'))).toEqual(['dots']);
    for (const pattern of ['/tv?size=*', '/tv/?', '/tv#*']) {
      expect(() => checkClusters({ tv: ['/tv', pattern] })).toThrow('clusters.tv[1] has a "?" or "#"');
    }
    expect(() => checkClusters({ tv: [`/${'é'.repeat(250)}${'語'.repeat(5)}`] })).not.toThrow();
    expect(() => checkClusters({ tv: [`/${'語'.repeat(255)}`] })).toThrow('clusters.tv[0] is no pattern');
  });
});
