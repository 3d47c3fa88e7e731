import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRegistry } from '../support/find-registry.ts';
import { type InstalledProject, installProject } from '../support/installed-project.ts';

/* install-size.test.ts: what a serving layer gets with the package, on its disk and in its processes (ADR 0035). */

const MOST_PACKAGES = 24;
const MOST_BYTES = 20_000_000;
/** What the service and the command need, and a page does not. */
const OF_THE_SERVICE = ['commander', 'pino', 'zod'];

describe.skipIf(!findRegistry())('the package, installed alone', { timeout: 120_000 }, () => {
  let project: InstalledProject;
  beforeAll(() => {
    project = installProject();
  }, 240_000);
  afterAll(() => project?.remove());

  it(`is at most ${MOST_PACKAGES} packages`, () => {
    const packages = project.packages();
    expect(packages).toContain('node_modules/sessionwise');
    expect(packages.length, packages.join(', ')).toBeLessThanOrEqual(MOST_PACKAGES);
  });

  it(`takes less than ${MOST_BYTES / 1e6} MB`, () => {
    const bytes = project.bytes('node_modules');
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it.each(['sessionwise', 'sessionwise/express', 'sessionwise/fastify', 'sessionwise/adapter'])(
    "%s loads the driver and nothing of the service's",
    async (subpath) => {
      const loaded = await loadedBy(`require('${subpath}')`);
      expect(loaded).toContain('@redis/client');
      expect(loaded.filter((name) => OF_THE_SERVICE.includes(name) || name === 'sessionwise/dist/service')).toEqual([]);
      const imported = await loadedBy(`await import('${subpath}')`);
      expect(imported).toEqual(loaded);
    },
  );

  it('is known to load the service where a site asks for it', async () => {
    expect(await loadedBy("require('sessionwise/service')")).toContain('sessionwise/dist/service');
  });

  /** The packages that a process has loaded, and of ours the folders. */
  async function loadedBy(code: string): Promise<string[]> {
    const script = `(async () => {
      ${code};
      const files = Object.keys(require.cache).map((file) => file.split('/node_modules/').at(-1));
      const of = /^(?:sessionwise\\/dist\\/[^/.]+|(?:@[^/]+\\/)?[^/]+)/;
      console.log(JSON.stringify([...new Set(files.map((file) => of.exec(file)[0]))].sort()));
    })()`;
    return JSON.parse(await project.run(process.execPath, ['-e', script]));
  }
});
