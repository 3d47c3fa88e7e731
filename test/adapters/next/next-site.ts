import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../support/free-ports.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* next-site.ts: a site of the real Next, built of examples/next and of pages for tests, with the package as npm packs it.
 * Next is no development dependency, because it takes 340 MB: it is installed into a temporary folder, in CI. */

const ROOT = join(import.meta.dirname, '../../..');
const START_DEADLINE_MS = 60_000;

/** Whether the tests with Next run here: in CI, and where one asks for them. */
export const TESTS_NEXT = process.env.CI !== undefined || process.env.TEST_NEXT === '1';

/** A folder with the built site. */
export class NextSite {
  #folder = '';
  readonly #processes: ChildProcess[] = [];

  /** Installs and builds it; takes about half a minute. The package must have been built. */
  build(): void {
    this.#folder = mkdtempSync(join(tmpdir(), 'sw-next-'));
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const pack = ['pack', '--ignore-scripts', '--pack-destination', this.#folder];
    execFileSync('npm', pack, { cwd: ROOT, stdio: 'pipe' });
    cpSync(join(ROOT, 'examples/next'), this.#folder, { recursive: true });
    cpSync(join(import.meta.dirname, 'site'), this.#folder, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(this.#folder, 'package.json'), 'utf8'));
    manifest.dependencies.sessionwise = `file:sessionwise-${version}.tgz`;
    writeFileSync(join(this.#folder, 'package.json'), JSON.stringify(manifest));
    this.#run('npm', 'install', '--no-audit', '--no-fund');
    this.#run(process.execPath, 'node_modules/next/dist/bin/next', 'build');
  }

  /** Serves it. `options`: of `createSessionwise`; `session` of `sw.session`. Returns its address. */
  async start(options: object): Promise<string> {
    const [port] = (await freePorts(1)).map(String) as [string];
    const child = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1', '-p', port], {
      cwd: this.#folder,
      env: { ...environment(), SITE_OPTIONS: JSON.stringify(options) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const url = `http://127.0.0.1:${port}`;
    const isUp = (): Promise<boolean> =>
      fetch(`${url}/favicon.ico`).then(
        () => true,
        () => false,
      );
    await waitUntil(
      'Next serves',
      async () => {
        if (child.exitCode !== null) throw new Error(`Next has ended: ${output}`);
        return isUp();
      },
      START_DEADLINE_MS,
    );
    return url;
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    for (const child of this.#processes.splice(0)) {
      if (child.exitCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  remove(): void {
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(program: string, ...args: string[]): void {
    // Its build reads options, and connects to nothing that is there.
    const SITE_OPTIONS = JSON.stringify({ redis: 'unix:///nowhere/redis.sock' });
    try {
      execFileSync(program, args, { cwd: this.#folder, env: { ...environment(), SITE_OPTIONS }, stdio: 'pipe' });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
      throw new Error(`${args.join(' ')} failed: ${stdout} ${stderr}`);
    }
  }
}

// Vitest has set NODE_ENV to `test`.
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
}
