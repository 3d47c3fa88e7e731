import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRegistry } from '../support/find-registry.ts';
import { type InstalledProject, installProject } from '../support/installed-project.ts';
import { useRedis } from '../support/use-redis.ts';

/* module-systems.test.ts: the installed package in the projects of users: CommonJS and ESM, TypeScript of two majors with
 * each module setting, Jest as it comes, Vitest. */

const TOOLS = ['jest@30', 'vitest@4.1', 'typescript7@npm:typescript@7', 'typescript5@npm:typescript@5.9'];
const LIBRARIES = ['express@5', 'express-session@1', 'fastify@5', '@fastify/cookie@11', '@fastify/session@11'];
const TYPES = ['@types/express@5', '@types/express-session@1', '@types/node@20'];

/** A site that tells how many pages its visitor saw; `imports` brings express and createSessionwise. */
const site = (imports: string): string => `
${imports}
const sw = createSessionwise({
  redis: process.env.REDIS!,
  secret: 'a secret for tests, and only for them',
  service: 'inline',
});
const app = express();
app.use(sw.session({ secret: 'signs the cookies of this test, and nothing else' }));
app.use(sw.knowledge());
app.get('/', async (request, response) => {
  request.session.cart = ['cable'];
  const visit = await request.sessionwise.visit();
  response.send(String(visit?.uniquePages ?? 'degraded'));
});
async function main(): Promise<void> {
  await sw.client.ready();
  const server = app.listen(0);
  const { port } = server.address() as { port: number };
  const answer = await fetch('http://127.0.0.1:' + port + '/', { headers: { 'user-agent': 'Mozilla/5.0 Firefox/130.0' } });
  console.log(await answer.text());
  await new Promise((resolve) => server.close(resolve));
  await sw.close();
}
void main();
`;
const FIELDS = "declare module 'express-session' { interface SessionData { cart: string[] } }\n";

describe.skipIf(!findRegistry())('the installed package', { timeout: 180_000 }, () => {
  const server = useRedis();
  let project: InstalledProject;
  beforeAll(() => {
    project = installProject(...TOOLS, ...LIBRARIES, ...TYPES);
  }, 300_000);
  afterAll(() => project?.remove());

  it('is one copy, however it is loaded: errors, classes and connections are shared', async () => {
    project.write(
      'both.mjs',
      `import { createRequire } from 'node:module';
      import { SessionClient, SessionData, SessionwiseError, ConnectionOptionsError } from 'sessionwise';
      import * as express from 'sessionwise/express';
      const require = createRequire(import.meta.url);
      const commonjs = require('sessionwise');
      let thrown;
      try { new commonjs.SessionClient({ redis: 'nonsense://' }); } catch (error) { thrown = error; }
      const redis = process.env.REDIS;
      const { createClient } = require('@redis/client');
      const looking = await createClient({ url: redis }).connect();
      const clients = async () => (await looking.sendCommand(['CLIENT', 'LIST'])).trim().split('\\n').length;
      const before = await clients();
      const client = new SessionClient({ redis });
      const data = new commonjs.SessionData({ redis });
      await client.ready?.();
      await data.load('kbus6dn33vhgjvq213cakipfm').catch(() => {});
      const opened = (await clients()) - before;
      looking.destroy();
      console.log(JSON.stringify({
        sameClass: commonjs.SessionClient === SessionClient,
        sameNames: Object.keys(commonjs).sort().join() === Object.keys(await import('sessionwise')).filter((name) => name !== 'default' && name !== 'module.exports').sort().join(),
        known: thrown instanceof ConnectionOptionsError && thrown instanceof SessionwiseError,
        acrossSubpaths: express.SessionwiseError === commonjs.SessionwiseError,
        opened,
      }));
      await client.close();
      await data.close();`,
    );
    expect(JSON.parse(await project.run(process.execPath, ['both.mjs'], { REDIS: server.url }))).toEqual({
      sameClass: true,
      sameNames: true,
      known: true,
      acrossSubpaths: true,
      // One for replies, one that both share.
      opened: 2,
    });
  });

  const IMPORTS = `import express from 'express';\nimport { createSessionwise } from 'sessionwise/express';\n${FIELDS}`;
  const EQUALS = `import express = require('express');\nimport { createSessionwise } from 'sessionwise/express';\n${FIELDS}`;
  it.each([
    { compiler: 7, module: 'commonjs', resolution: 'bundler', type: 'commonjs', imports: IMPORTS },
    { compiler: 7, module: 'node16', resolution: 'node16', type: 'commonjs', imports: IMPORTS },
    { compiler: 7, module: 'nodenext', resolution: 'nodenext', type: 'commonjs', imports: IMPORTS },
    { compiler: 7, module: 'nodenext', resolution: 'nodenext', type: 'module', imports: IMPORTS },
    { compiler: 7, module: 'esnext', resolution: 'bundler', type: 'module', imports: IMPORTS },
    // As tsc 5 has it by itself, without any option that softens: no esModuleInterop, all declarations checked.
    { compiler: 5, module: 'commonjs', resolution: 'node10', type: 'commonjs', imports: EQUALS },
    { compiler: 5, module: 'node16', resolution: 'node16', type: 'module', imports: IMPORTS },
  ])('works in TypeScript $compiler, module $module, resolution $resolution, type $type', async (setting) => {
    const { compiler, module, resolution, type, imports } = setting;
    const folder = `ts${compiler}-${module}-${resolution}-${type}`;
    project.write(`${folder}/package.json`, JSON.stringify({ type }));
    project.write(`${folder}/site.ts`, site(imports));
    const flags = ['--strict', '--target', 'es2022', '--types', 'node', '--module', module];
    const tsc = `node_modules/typescript${compiler}/bin/tsc`;
    const resolving = ['--moduleResolution', resolution, ...(compiler === 5 ? [] : ['--skipLibCheck'])];
    await project.run(process.execPath, [tsc, ...flags, ...resolving, `${folder}/site.ts`]);
    expect(await project.run(process.execPath, [`${folder}/site.js`], { REDIS: server.url })).toMatch(/^\d+\n$/);
  });

  it('works in a test of Jest, CommonJS and without a configuration', async () => {
    project.write(
      'jest/site.test.js',
      `const express = require('express');
      const { createSessionwise } = require('sessionwise/express');
      const { SessionwiseError } = require('sessionwise/errors');
      test('counts', async () => {
        const sw = createSessionwise({ redis: process.env.REDIS, secret: 'a secret for tests, and only for them', service: 'inline', namespace: 'jest' });
        await sw.client.ready();
        const app = express();
        app.use(sw.session({ secret: 'signs the cookies of this test, and nothing else' }), sw.knowledge());
        app.get('/', async (request, response) => { response.json(await request.sessionwise.visit()); });
        const server = app.listen(0);
        const answer = await fetch('http://127.0.0.1:' + server.address().port + '/', { headers: { 'user-agent': 'Mozilla/5.0 Firefox/130.0' } });
        expect(await answer.json()).toMatchObject({ uniquePages: expect.any(Number) });
        await new Promise((resolve) => server.close(resolve));
        await sw.close();
        expect(() => createSessionwise({})).toThrow();
      });`,
    );
    project.write('jest/package.json', '{}');
    const out = await project.run(process.execPath, ['node_modules/jest/bin/jest.js', '--rootDir', 'jest', '--json'], {
      REDIS: server.url,
    });
    expect(JSON.parse(out)).toMatchObject({ success: true, numPassedTests: 1 });
  });

  it('works in a test of Vitest', async () => {
    project.write('vitest/package.json', '{"type":"module"}');
    project.write(
      'vitest/site.test.js',
      `import { expect, it } from 'vitest';
      import fastify from 'fastify';
      import { createSessionwise } from 'sessionwise/fastify';
      it('counts', async () => {
        const sw = createSessionwise({ redis: process.env.REDIS, secret: 'a secret for tests, and only for them', service: 'inline', namespace: 'vitest' });
        await sw.client.ready();
        const app = fastify();
        await app.register(sw.session, { secret: 'signs the cookies of this test, and nothing else' });
        await app.register(sw.knowledge);
        app.get('/', async (request) => request.sessionwise.visit());
        const answer = await app.inject({ url: '/', headers: { 'user-agent': 'Mozilla/5.0 Firefox/130.0' } });
        expect(answer.json()).toMatchObject({ uniquePages: expect.any(Number) });
        await app.close();
        await sw.close();
      });`,
    );
    const out = await project.run(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--root', 'vitest', '--reporter=json'],
      {
        REDIS: server.url,
      },
    );
    expect(JSON.parse(out)).toMatchObject({ success: true, numPassedTests: 1 });
  });
});
