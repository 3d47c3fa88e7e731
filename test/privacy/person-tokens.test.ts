import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VisitorCookies, visitorOf } from '../../src/adapters/http/visitor-cookie.ts';
import { createToken, personOf, SessionClient, sessionOf } from '../../src/index.ts';
import { isPerson, isSession } from '../../src/protocol/index.ts';
import { EXPRESS } from '../adapters/express/express-under-test.ts';
import { FASTIFY } from '../adapters/fastify/fastify-under-test.ts';
import { NODE_HTTP } from '../adapters/node-http/node-http-under-test.ts';
import { type Page, type Site, USER_AGENT } from '../adapters/suite/adapter-site.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';

/* Whatever a browser or another client sends as a token, nobody is asked as a person by it: only a login makes one. */

const TOKENS = 20_000;
/** So many go over HTTP, through each adapter: each as a bearer token, as a token of the site, and as each cookie. */
const ASKED = process.env.SESSIONWISE_SOAK_SECONDS === undefined ? 200 : 5_000;
const SIDE_BY_SIDE = 16;
const USER = 'ada';

/** Texts that try to be a person: ids of persons, and what makes them, in all forms that a parser could take for one. */
function fuzzedTokens(count: number): string[] {
  const random = new SeededRandom(11);
  const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const some = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join('');
  const person = personOf(USER);
  const seeds = [
    person,
    person.slice(0, -1),
    `person\0${USER}`,
    `person%00${USER}`,
    `person\\0${USER}`,
    `person\\u0000${USER}`,
    JSON.stringify({ person: USER }),
    JSON.stringify({ user: USER, session: person }),
    JSON.stringify(person),
    JSON.stringify([person]),
    `user:${USER}`,
    `${person}.${some(base64, 43)}`,
    `${person.slice(0, -1)}.${some(base64, 43)}`,
    `${person.slice(0, -1)}.${some(base64, 42)}_`,
    `s:${person}.${some(base64, 43)}`,
    `${person}.p12345678`,
    `__proto__`,
    createToken(),
  ];
  const changes: ((text: string) => string)[] = [
    (text) => text,
    (text) => `${text}_`,
    (text) => `${text}%00`,
    (text) => `${text}%5F`,
    (text) => encodeURIComponent(text),
    (text) => encodeURIComponent(encodeURIComponent(text)),
    (text) => Buffer.from(text).toString('base64url'),
    (text) => Buffer.from(text).toString('hex'),
    (text) => text.toUpperCase(),
    (text) => ` ${text} `,
    (text) => `${text}\n`,
    (text) => `"${text}"`,
    (text) => text.slice(0, random.below(text.length + 1)),
    (text) => text.slice(random.below(text.length + 1)),
    (text) => `${text.slice(0, random.below(text.length + 1))}${some(base64, 1 + random.below(4))}`,
    (text) => `${text}.${some(base64, 43)}`,
    () => some(base64, 1 + random.below(80)),
    () => `${some('0123456789abcdefghijklmnopqrstuvwxyz', 25)}_`,
    () => `${some('0123456789abcdefghijklmnopqrstuvwxyz', 25)}.${some(base64, 42)}_`,
    () => random.bytes(1 + random.below(40)).toString('latin1'),
  ];
  const tokens = new Set<string>();
  while (tokens.size < count) tokens.add(random.pick(changes)(random.pick(changes)(random.pick(seeds))));
  return [...tokens];
}

const tokens = fuzzedTokens(TOKENS);

describe('20,000 tokens that try to be a person', () => {
  it('are sessions of visitors, each', () => {
    const sessions = tokens.map(sessionOf);
    expect(sessions.filter(isPerson)).toEqual([]);
    expect(sessions.every((session) => isSession(session) && /^[0-9a-z]{25}$/.test(session))).toBe(true);
    expect(sessions).not.toContain(personOf(USER));
  });

  it('are visitors, as the cookie of one', () => {
    const cookies = new VisitorCookies('test', {});
    let read = 0;
    for (const token of tokens) {
      const { cookie } = cookies.read(`sessionwise=${token}`);
      if (!cookie) continue;
      read += 1;
      expect(isPerson(visitorOf(cookie.value))).toBe(false);
    }
    console.log(`${read} of ${tokens.length} have the form of a visitor's cookie.`);
  });
});

describe.each([EXPRESS, FASTIFY, NODE_HTTP])('tokens that try to be a person, through $name', (adapter) => {
  const server = useRedis({ eachTest: 'kept' });
  let client: SessionClient;
  let site: Site;
  const agent = new Agent({ keepAlive: true, maxSockets: SIDE_BY_SIDE });
  const who: Page = ({ handle }) => ({ id: handle?.id ?? null });
  const login: Page = async (context) => {
    await context.session.identify(USER);
    return { id: context.handle?.id ?? null };
  };

  beforeAll(async () => {
    client = new SessionClient({ redis: server.url, deadlineMs: 50 });
    const [[, settings]] = adapter.settings as [readonly [string, object]];
    const token = ({
      headers,
    }: {
      readonly headers: Record<string, string | string[] | undefined>;
    }): string | undefined =>
      headers['x-token'] === undefined
        ? undefined
        : Buffer.from(String(headers['x-token']), 'base64').toString('latin1');
    site = await adapter.open({
      store: { redis: server.url },
      settings,
      pages: { who, login },
      client,
      handle: { token },
    });
  });
  afterAll(async () => {
    agent.destroy();
    await site?.close();
    await client?.close();
  });

  /** The id as which a page asks; undefined where the server takes no such header. */
  async function ask(path: string, headers: Record<string, string>): Promise<string | null | undefined> {
    const { port } = new URL(site.url);
    try {
      const options = { port, host: '127.0.0.1', path, agent, headers: { 'user-agent': USER_AGENT, ...headers } };
      const [response] = await once(httpRequest(options).end(), 'response', { signal: AbortSignal.timeout(20_000) });
      let text = '';
      for await (const chunk of response) text += chunk;
      return response.statusCode === 200 ? (JSON.parse(text) as { id: string | null }).id : undefined;
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_INVALID_CHAR') return undefined;
      throw error;
    }
  }

  it('ask as nobody’s person, and a login does', { timeout: 300_000 }, async () => {
    const { name } = adapter.cookies;
    const stride = Math.floor(TOKENS / ASKED);
    const tried = tokens.filter((_, i) => i % stride === 0);
    const forms = tried.flatMap((token) => [
      { authorization: `Bearer ${token}` },
      { 'x-token': Buffer.from(token, 'latin1').toString('base64') },
      { cookie: `sessionwise=${token}` },
      { cookie: `${name}=${token}` },
      // As the site itself would sign it.
      { cookie: adapter.cookies.sign(token) },
    ]);
    const persons: string[] = [];
    let [next, asked] = [0, 0];
    const work = async (): Promise<void> => {
      while (next < forms.length) {
        const headers = forms[next++]!;
        const id = await ask('/who', headers as Record<string, string>);
        if (id !== undefined) asked += 1;
        if (typeof id === 'string' && isPerson(id)) persons.push(JSON.stringify(headers));
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    expect(persons).toEqual([]);
    expect(asked).toBeGreaterThan(forms.length / 2);
    console.log(`${asked} requests were answered, of ${forms.length}.`);
    expect(await ask('/login', {})).toBe(personOf(USER));
  });
});
