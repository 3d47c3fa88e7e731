import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../src/adapters/express/index.ts';
import { createToken, personOf, type Rules, SessionClient, sessionOf } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Block, blocksOf } from './documents.ts';
import { OUTPUTS, type Output } from './outputs.ts';

/* What the documents say that commands print, these print: numbers, times and paths apart. */

/** The rules that docs/rules.md shows. */
const { $schema: _schema, ...rules } = JSON.parse(
  blocksOf('docs/rules.md').find(({ language }) => language === 'json')!.text,
) as Rules & { $schema: string };
const SECRET = 'change me: 32 random characters';
const SESSION = '86qb3akou3o8xge8a5506yxi0';

describe('what commands print', () => {
  const server = useRedis();

  it.each(OUTPUTS.map((output) => [`${output.file}: ${output.beginning}`, output] as const))(
    '%s',
    async (_, output) => {
      const [command, shown] = blocksAt(output);
      const folder = mkdtempSync(join(tmpdir(), 'sw-outputs-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      writeFileSync(join(folder, 'sessionwise.json'), JSON.stringify(rules));
      const before = output.before === 'nothing' ? undefined : await prepare(output.before);
      const words = command.text.match(/'[^']*'|"[^"]*"|\S+/g)!.map((word) => word.replace(/^'(.*)'$/, '$1'));
      const args = [...withoutRedis(words.slice(2)), '--redis', server.url];
      const printed = await outputOf(args, folder);
      await before?.();
      if (output.compares === 'fields') {
        expect(Object.keys(JSON.parse(printed))).toEqual(Object.keys(JSON.parse(shown.text)));
      } else if (output.compares === 'topics') expect(topicsOf(printed)).toEqual(topicsOf(shown.text));
      else expect(masked(printed)).toBe(masked(shown.text));
    },
  );

  /** The output of a command; of `serve`, which runs on, its first line. */
  async function outputOf(args: readonly string[], cwd: string): Promise<string> {
    const env = { SESSIONWISE_SECRET: SECRET, REDIS_URL: '' };
    if (args[0] !== 'serve') {
      const { stdout, stderr } = await runCli(args, { cwd, env });
      return (stdout || stderr).trimEnd();
    }
    const child = startCli(args, { cwd, env });
    onTestFinished(() => void child.kill('SIGKILL'));
    await waitUntil('it says that it serves', () => child.output().includes('\n'), 20_000);
    return child.output().split('\n', 1)[0]!;
  }

  /** Does what the document's visitor has done; the function that is returned stops what that took. */
  async function prepare(what: Output['before']): Promise<() => Promise<void>> {
    const service = await startService({ ...rules, redis: server.url, secret: SECRET });
    const client = new SessionClient({ redis: server.url });
    await client.ready();
    const pages = what === 'visited-others' ? ['/tv/1', '/tv/2'] : ['/added/tv', '/added/tv-mount', '/checkout'];
    if (what !== 'sessions-of-ada') for (const page of pages) await client.request('pageview', SESSION, page);
    else await logInTwice();
    return async () => {
      await client.close();
      await service.stop();
    };
  }

  /** Two devices of one user, who saw a page on each. */
  async function logInTwice(): Promise<void> {
    const store = new SessionStore({ redis: server.url, sweep: false });
    const client = new SessionClient({ redis: server.url });
    for (const token of [createToken(), createToken()]) {
      await store.data.save(token, { cart: ['tv'] });
      await store.data.identify(token, 'ada');
      await client.request('pageview', sessionOf(token), '/added/tv');
    }
    await client.request('pageview', personOf('ada'), '/added/tv');
    await client.close();
    await store.close();
  }
});

/** The command and what it prints, as the document has them: one block behind the other. */
function blocksAt({ file, beginning }: Output): [command: Block, shown: Block] {
  const blocks = blocksOf(file);
  const i = blocks.findIndex(({ language, text }) => language === 'text' && text.startsWith(beginning));
  expect(blocks[i - 1]?.language, `a command stands above "${beginning}"`).toBe('sh');
  return [blocks[i - 1]!, blocks[i]!];
}

function withoutRedis(words: readonly string[]): string[] {
  const at = words.indexOf('--redis');
  return at < 0 ? [...words] : [...words.slice(0, at), ...words.slice(at + 2)];
}

/** Lines without what differs from run to run. */
function masked(text: string): string {
  return text
    .replace(/[.#]{30,}/g, '<minutes>')
    .replace(/\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d/g, '<time>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b\d[\d,.]* bytes/g, '<bytes>')
    .replace(/Active in \d+ minutes?/g, 'Active in <minutes>')
    .trimEnd();
}

/** What a report has findings about, in order. */
function topicsOf(text: string): string[] {
  return [...text.matchAll(/^ {2}\w+ +(\w+) {2}/gm)].map(([, topic]) => topic!);
}
