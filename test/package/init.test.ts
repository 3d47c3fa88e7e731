import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { findRegistry } from '../support/find-registry.ts';
import { freePorts } from '../support/free-ports.ts';
import { type InstalledProject, installProject } from '../support/installed-project.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* init.test.ts: what `sessionwise init` prints, typed in a project that has nothing but the package. */

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0' };

describe.skipIf(!findRegistry())('sessionwise init in a new project', { timeout: 180_000 }, () => {
  const server = useRedis();
  let project: InstalledProject | undefined;
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const { pid } of children.splice(0)) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    project?.remove();
  });

  it.each(['express', 'fastify'])(
    'the lines that it prints bring a page of %s that knows its visitor',
    async (name) => {
      project = installProject();
      const [port] = await freePorts(1);
      const said = await project.run('npx', [
        '--no',
        'sessionwise',
        'init',
        '--framework',
        name,
        '--redis',
        server.url,
      ]);
      const typed = /Type next[^\n]*\n((?: {2}\S[^\n]*\n)+)/
        .exec(said)![1]!
        .split('\n')
        .map((line) => line.trim());
      const [install, serve, site] = typed;
      expect([install, serve, site]).toEqual([
        expect.stringMatching(/^npm install /),
        expect.stringMatching(/^npx sessionwise serve /),
        expect.stringMatching(/^node /),
      ]);
      await project.run('sh', ['-c', `${install} --prefer-offline --no-audit --no-fund`]);
      const serving = start(serve!);
      await waitUntil('the service serves', () => serving.output().includes('Serving.'), 30_000);
      const page = start(site!, { PORT: String(port) });
      await waitUntil('the site is open', () => page.output().includes('The site is open'), 30_000);

      const url = `http://127.0.0.1:${port}`;
      let cookie = '';
      await waitUntil('the page knows what its visitor saw', async () => {
        const answer = await fetch(`${url}/articles/redis`, { headers: { ...BROWSER, cookie } });
        await answer.text();
        const [given] = answer.headers.getSetCookie();
        if (given !== undefined) cookie = given.split(';')[0]!;
        const home = await fetch(url, { headers: { ...BROWSER, cookie } });
        const { newToYou } = (await home.json()) as { newToYou: string[] };
        return newToYou.join() === '/articles/bloom,/articles/cookies';
      });
      // The files of rules and of configuration are read: nothing is warned about.
      expect(serving.output()).not.toContain('"level":40');
    },
  );

  function start(line: string, env: NodeJS.ProcessEnv = {}): { output(): string } {
    // A group of its own: the shell, npx and what they start.
    const child = spawn('sh', ['-c', line], {
      cwd: project!.folder,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    return { output: () => text };
  }
});
