import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Block, blocksOf, DOCUMENTS, ROOT } from './documents.ts';
import { exchangesOf, isShown, Visitors } from './transcript.ts';
import { CODE_OF_EXAMPLES } from './treated-elsewhere.ts';

/* The programs in the documents run as they stand, but for Redis's address, the namespace, the port and the deadline, and answer what
 * stands below them. README's own are run by test/examples/readme.test.ts, in CommonJS too. */

const PACKAGES = [
  'express',
  'express-session',
  'fastify',
  '@fastify/session',
  '@fastify/cookie',
  'passport',
  'passport-local',
  'ws',
];
const START_DEADLINE_MS = 30_000;

interface Program {
  readonly block: Block;
  /** The transcripts below it, up to the next program of its document. */
  readonly transcripts: readonly Block[];
}

const programs = DOCUMENTS.filter((file) => file !== 'README.md' && !CODE_OF_EXAMPLES.includes(file)).flatMap(
  programsOf,
);
const isTest = ({ block }: Program): boolean => /from 'node:test'/.test(block.text);
const sites = programs.filter((program) => !isTest(program));
const tests = programs.filter(isTest);

function programsOf(file: string): Program[] {
  const found: { block: Block; transcripts: Block[] }[] = [];
  for (const block of blocksOf(file)) {
    const isProgram = /^import .*'sessionwise/m.test(block.text) && /\.listen\(|from 'node:test'/.test(block.text);
    if (isProgram && block.language === 'js') found.push({ block, transcripts: [] });
    else if (block.language === 'text' && exchangesOf(block.text).length > 0) found.at(-1)?.transcripts.push(block);
  }
  return found;
}

describe('the programs in the documents', () => {
  const server = useRedis({ eachTest: 'kept' });
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-programs-'));
    for (const name of PACKAGES) link(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    link(ROOT, join(folder, 'node_modules', 'sessionwise'));
    writeFileSync(join(folder, 'package.json'), '{"name":"site","version":"1.0.0","type":"module"}');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are there, and each site has a transcript', () => {
    expect(sites.length).toBeGreaterThanOrEqual(5);
    const silent = sites.filter(({ transcripts }) => transcripts.length === 0);
    expect(silent.map(({ block }) => `${block.file}:${block.firstLine}`)).toEqual([]);
  });

  it.each(sites.map((site) => [`${site.block.file}:${site.block.firstLine}`, site] as const))(
    '%s answers what it shows',
    async (name, { block, transcripts }) => {
      const [port] = await freePorts(1);
      const site = start(write(name, block.text.replace(/\b3000\b/g, String(port))));
      onTestFinished(() => void site.child.kill('SIGKILL'));
      const url = `http://127.0.0.1:${port}`;
      await waitUntil('it listens', () => hasEnded(site.child) || isThere(url), START_DEADLINE_MS);
      const visitors = new Visitors(url);
      for (const { command, expected } of transcripts.flatMap(({ text }) => exchangesOf(text))) {
        const answer = await visitors.send(command).catch((error) => `${error}\n${site.output()}`);
        expect({ command, answer: isShown(answer, expected) ? expected : answer }).toEqual({
          command,
          answer: expected,
        });
      }
      expect(site.output()).toBe('');
    },
    60_000,
  );

  it.each(tests.map((test) => [`${test.block.file}:${test.block.firstLine}`, test] as const))(
    '%s is a test that passes',
    async (name, { block }) => {
      const test = start(write(name, block.text), ['--test-reporter=tap']);
      await waitUntil('it has ended', () => hasEnded(test.child), START_DEADLINE_MS);
      expect(test.output()).toMatch(/^# fail 0$/m);
      expect(test.output()).not.toMatch(/^# pass 0$/m);
      expect(test.child.exitCode).toBe(0);
    },
    60_000,
  );

  /** Writes a program with the addresses of this test, each in a namespace of its own, and with the time of a loaded
   *  machine for its pages. */
  function write(name: string, text: string): string {
    const file = join(folder, `${name.replace(/\W/g, '-')}.mjs`);
    const namespace = `doc${programs.findIndex(({ block }) => name === `${block.file}:${block.firstLine}`)}`;
    const address = /redis: (?:process\.env\.\w+ \?\? )?'redis:\/\/127\.0\.0\.1:6379'/;
    expect(text, `${name} says where Redis is`).toMatch(address);
    writeFileSync(file, text.replace(address, `redis: '${server.url}', namespace: '${namespace}', deadlineMs: 10_000`));
    return file;
  }

  function start(file: string, flags: readonly string[] = []): { child: ChildProcess; output(): string } {
    const env = {
      ...process.env,
      NODE_ENV: 'development',
      COOKIE_SECRET: 'the secret of the cookies of the documents',
    };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...flags, file], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    return { child, output: () => text };
  }
});

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

async function isThere(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/nowhere`).catch(() => undefined);
  return answer !== undefined;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
