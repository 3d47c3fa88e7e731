import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServeDashboardOptions, type ServedDashboard, serveDashboard } from '../../src/dashboard/index.ts';
import { startService } from '../../src/service/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type HttpAnswer, type HttpQuestion, sendHttp } from '../support/send-http.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The dashboard as somebody sees it who wants in: from another site in the operator's browser, through a proxy, with guesses. */

const SECRET = 'a secret of the tests, long enough';
const TOKEN = 'the token of the tests';
const HEADERS = ['content-security-policy', 'x-frame-options', 'x-content-type-options', 'referrer-policy'];

const redis = useRedis({ eachTest: 'kept' });
let served: ServedDashboard[] = [];
let log = new RecordingLog();

beforeEach(async () => {
  log = new RecordingLog();
  const service = await startService({ redis: redis.url, secret: SECRET });
  await service.stop();
});
afterEach(async () => {
  await Promise.all(served.map((each) => each.close()));
  served = [];
});

async function open(more: Partial<ServeDashboardOptions> = {}): Promise<string> {
  const dashboard = await serveDashboard({ redis: redis.url, secret: SECRET, port: 0, log, ...more });
  served.push(dashboard);
  return dashboard.url;
}

/** The token against cross-site requests, as the page has it. */
async function csrfOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await sendHttp(url, '/session', { headers });
  expect(status).toBe(200);
  return (JSON.parse(body) as { csrf: string }).csrf;
}

/** A try to drop a dead letter that there is not: 409 says that it came through. */
function drop(url: string, headers: Record<string, string>, body = '{"id":"1/1-1"}'): Promise<HttpAnswer> {
  return sendHttp(url, '/health/drop', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

async function statusOf(url: string, path: string, question?: HttpQuestion): Promise<number> {
  return (await sendHttp(url, path, question)).status;
}

/** Logs in; the cookie as the browser sends it back. */
async function logIn(url: string, token = TOKEN): Promise<{ answer: HttpAnswer; cookie: string }> {
  const answer = await sendHttp(url, '/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const [set = ''] = (answer.headers['set-cookie'] ?? []) as string[];
  return { answer, cookie: set.split(';')[0]! };
}

describe('a dashboard without a token', () => {
  it.each([
    'evil.example',
    'localhost.evil.example:80',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[::2]',
    'localhost:1:2',
  ])('refuses the Host %j, which another name was made to point here with', async (host) => {
    const url = await open();
    for (const path of ['/', '/health', '/health/data', '/health/events', '/frame.js']) {
      expect(await statusOf(url, path, { headers: { host } }), path).toBe(403);
    }
    expect((await drop(url, { host, 'x-sessionwise-csrf': await csrfOf(url) })).status).toBe(403);
  });

  it.each(['localhost', 'LOCALHOST:99', '127.0.0.1:1', '[::1]:8080'])('lets the Host %s in', async (host) => {
    expect(await statusOf(await open(), '/health', { headers: { host } })).toBe(200);
  });

  it.each([
    ['x-forwarded-for', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1'],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 proxy'],
    ['x-forwarded-host', 'localhost'],
  ])('refuses what a proxy passed on (%s)', async (name, value) => {
    const url = await open();
    const { status, body } = await sendHttp(url, '/health/data', { headers: { [name]: value } });
    expect([status, body]).toEqual([403, expect.stringContaining('came through a proxy')]);
  });

  it('refuses what nginx passes on unless it is told more: by HTTP/1.0, with this machine as Host', async () => {
    const url = await open();
    const { host, port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(`GET /health/data HTTP/1.0\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('came through a proxy');
  });

  it('acts for no other Origin, also where a proxy names this machine in Host', async () => {
    const url = await open();
    const csrf = { 'x-sessionwise-csrf': await csrfOf(url), 'sec-fetch-site': 'same-origin' };
    expect((await drop(url, { ...csrf, origin: 'https://admin.example' })).status).toBe(403);
    expect((await drop(url, { ...csrf, origin: 'null' })).status).toBe(403);
    expect((await drop(url, { ...csrf, origin: 'http://localhost:9999' })).status).toBe(409);
  });

  it('refuses to act for another site, whatever its browser says of it', async () => {
    const url = await open();
    const csrf = { 'x-sessionwise-csrf': await csrfOf(url) };
    const own = new URL(url).origin;
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: own.replace('127.0.0.1', 'localhost') },
      { 'sec-fetch-site': 'cross-site', origin: own },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ]) {
      expect((await drop(url, { ...csrf, ...headers })).status, JSON.stringify(headers)).toBe(403);
    }
    expect((await drop(url, { ...csrf, origin: own, 'sec-fetch-site': 'same-origin' })).status).toBe(409);
    expect((await drop(url, csrf)).status).toBe(409);
    expect(log.with('refused').map(({ status, method }) => [status, method])).toEqual(Array(6).fill([403, 'POST']));
  });

  it('refuses data and streams to another site, and lets a link from there open a page', async () => {
    const url = await open();
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' };
      for (const path of ['/health/data', '/health/events', '/frame.js']) {
        expect(await statusOf(url, path, { headers }), path).toBe(403);
      }
      expect(await statusOf(url, '/health', { headers: { ...headers, 'sec-fetch-mode': 'navigate' } })).toBe(200);
    }
  });

  it('refuses an action without its token against cross-site requests', async () => {
    const url = await open();
    const csrf = await csrfOf(url);
    for (const given of [undefined, '', 'x', csrf.slice(1), `${csrf}x`, csrf.toUpperCase()]) {
      const { status, body } = await drop(url, given === undefined ? {} : { 'x-sessionwise-csrf': given });
      expect([status, JSON.parse(body).error.remedy], String(given)).toEqual([403, 'csrf']);
    }
    const other = await open();
    expect((await drop(other, { 'x-sessionwise-csrf': csrf })).status).toBe(403);
  });

  it.each([
    ['notices/publish', { to: { subject: 'ann@mail.example' }, text: 'Hello' }],
    ['notices/publish', { to: 'ann@mail.example', text: 'Hello' }],
    ['notices/withdraw', { id: 'a', to: { person: 'ann@mail.example' } }],
    ['notices/publish', { to: { group: 'a' }, text: 'Hello', 'ann@mail.example': 1 }],
    ['subject/probe', { subject: 'abc', item: '/ann@mail.example'.repeat(200) }],
  ])('keeps a user id out of its log that was typed into a wrong field (%#: %s)', async (path, input) => {
    const url = await open();
    const answer = await sendHttp(url, `/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': await csrfOf(url) },
      body: JSON.stringify(input),
    });
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('ann@mail.example')]);
    expect(log.with('refused')).toMatchObject([{ path: `/${path}`, status: 400 }]);
    expect(JSON.stringify(log.entries)).not.toContain('ann@mail.example');
  });

  it('takes JSON only, at most 64 KB of it', async () => {
    const url = await open();
    const headers = { 'x-sessionwise-csrf': await csrfOf(url) };
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
    ]) {
      expect((await drop(url, { ...headers, 'content-type': type })).status, type).toBe(415);
    }
    const large = JSON.stringify({ id: 'x'.repeat(70_000) });
    expect((await drop(url, headers, large)).status).toBe(413);
    expect((await drop(url, { ...headers, 'transfer-encoding': 'chunked' }, large)).status).toBe(413);
    for (const body of ['', '{', 'nothing', '{"id":']) {
      const answer = await drop(url, headers, body);
      expect([answer.status, JSON.parse(answer.body).error.message], body).toEqual([400, 'The body is no JSON.']);
    }
    for (const body of ['null', '[]', '7', '{"id":7}', '{"all":true,"id":"1/1-1"}', '{"all":"yes"}']) {
      expect((await drop(url, headers, body)).status, body).toBe(400);
    }
  });

  it.each([
    '/..%2f..%2fpackage.json',
    '/../../package.json',
    '/..%5c..%5cpackage.json',
    '/%2e%2e/index.js',
    '/page/frame.js',
    '/frame.js/',
    '/./frame.js',
    '/frame.js%00',
    '/tsconfig.json',
    '/health/..%2f..%2findex.js',
    '/health/events/more',
    '/__proto__',
    '/constructor/data',
    '//evil.example/',
    '/health%20',
  ])('finds nothing at %s', async (path) => {
    const { status, body } = await sendHttp(await open(), path);
    expect([status, body]).toEqual([404, expect.not.stringContaining('sessionwise"')]);
  });

  it('bounds the query, and answers only GET, HEAD and POST', async () => {
    const url = await open();
    expect(await statusOf(url, `/health/data?${'x'.repeat(2_049)}`)).toBe(414);
    expect(await statusOf(url, `/health/data?${'x'.repeat(2_048)}`)).toBe(200);
    const head = await sendHttp(url, '/health', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    expect(await statusOf(url, '/health/events', { method: 'HEAD' })).toBe(405);
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
      const { status, headers } = await sendHttp(url, '/health', { method });
      expect([status, headers.allow], method).toEqual([405, 'GET, HEAD, POST']);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    for (const path of ['/health', '/health/constructor', '/health/__proto__', '/nothing/drop', '/health/drop/more']) {
      const headers = { 'content-type': 'application/json', 'x-sessionwise-csrf': await csrfOf(url) };
      expect(await statusOf(url, path, { method: 'POST', headers, body: '{}' }), path).toBe(404);
    }
  });

  it('sends its headers with each answer, also where it refuses', async () => {
    const url = await open();
    for (const path of ['/', '/health', '/health/data', '/style.css', '/nothing', `/health?${'x'.repeat(3_000)}`]) {
      const { headers } = await sendHttp(url, path);
      for (const name of HEADERS) expect(headers[name], `${path} ${name}`).toBeTypeOf('string');
      expect(headers['cache-control'], path).toBe('no-store');
      expect(headers['content-security-policy']).not.toMatch(/unsafe|nonce|\*/);
    }
    const { body } = await sendHttp(url, '/health');
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|style=/);
  });

  it('bounds the streams, and has room again when one ends', async () => {
    const url = await open({ maxStreams: 2 });
    const streams = await Promise.all([openStream(url), openStream(url)]);
    const { status, headers } = await sendHttp(url, '/health/events');
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    streams[0]!();
    await waitUntil(
      'there is room',
      async () => (await statusOf(url, '/health/events', { headOnly: true })) === 200,
      30_000,
    );
    streams[1]!();
  });

  it('refuses actions where it is read-only, and to a lesser role', async () => {
    for (const [more, words] of [
      [{ readOnly: true }, 'This dashboard is read-only.'],
      [{ role: 'viewer' }, 'This needs the role operator; yours is viewer.'],
      [{ role: 'editor' }, 'This needs the role operator; yours is editor.'],
    ] as const) {
      const url = await open(more);
      const { status, body } = await drop(url, { 'x-sessionwise-csrf': await csrfOf(url) });
      expect([status, JSON.parse(body).error.message]).toEqual([403, words]);
    }
    expect(log.with('refused')).toMatchObject(Array(3).fill({ who: 'this machine', path: '/health/drop' }));
  });
});

describe('a dashboard with a token', () => {
  it('shows nobody anything but the form', async () => {
    const url = await open({ token: TOKEN });
    for (const path of ['/', '/health', '/health/data', '/health/events', '/session', '/frame.js', '/health.js']) {
      expect(await statusOf(url, path), path).toBe(401);
    }
    const { body } = await sendHttp(url, '/health', { headers: { accept: 'text/html' } });
    expect(body).toContain('Token of this dashboard');
    expect(await statusOf(url, '/login.js')).toBe(200);
  });

  it('takes the token in a body only, and never gives it back', async () => {
    const url = await open({ token: TOKEN });
    const asked = encodeURIComponent(TOKEN);
    expect(await statusOf(url, `/health/data?token=${asked}`)).toBe(401);
    expect(await statusOf(url, '/health/data', { headers: { authorization: `Bearer ${TOKEN}` } })).toBe(401);
    expect(await statusOf(url, '/health/data', { headers: { cookie: `sessionwise-dashboard=${asked}` } })).toBe(401);
    const { answer, cookie } = await logIn(url);
    expect(answer.status).toBe(200);
    const [set] = answer.headers['set-cookie'] as string[];
    expect(set).toMatch(
      /^sessionwise-dashboard=[\w-]{22}\.\d{13}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    );
    const page = await sendHttp(url, '/health', { headers: { cookie } });
    expect(page.status).toBe(200);
    for (const text of [set, answer.body, page.body, JSON.stringify(log.entries)]) expect(text).not.toContain(TOKEN);
  });

  it('refuses cookies that it did not make, that have ended or were logged out', async () => {
    const url = await open({ token: TOKEN });
    const { cookie } = await logIn(url);
    const [id, end, signature] = cookie.slice(cookie.indexOf('=') + 1).split('.') as [string, string, string];
    const tried = [`${id}.${Number(end) + 1}.${signature}`, `${'A'.repeat(22)}.${end}.${signature}`, `${id}.${end}.`];
    for (const value of [...tried, `${id}.${end}.${'A'.repeat(43)}`, '..', '']) {
      const headers = { cookie: `sessionwise-dashboard=${value}` };
      expect(await statusOf(url, '/health/data', { headers }), value).toBe(401);
    }
    expect(await statusOf(await open({ token: TOKEN }), '/health/data', { headers: { cookie } })).toBe(401);
    const csrf = await csrfOf(url, { cookie });
    const leaving = { method: 'POST', body: '{}' };
    const headers = { cookie, 'content-type': 'application/json', 'x-sessionwise-csrf': csrf };
    expect(await statusOf(url, '/leave', { ...leaving, headers })).toBe(200);
    expect(await statusOf(url, '/health/data', { headers: { cookie } })).toBe(401);
  });

  it('takes five wrong tokens a minute, and then not even the right one', async () => {
    const url = await open({ token: TOKEN });
    for (const wrong of ['', 'x', TOKEN.slice(1), `${TOKEN} `, TOKEN.toUpperCase()]) {
      expect((await logIn(url, wrong)).answer.status, wrong).toBe(401);
    }
    const { answer } = await logIn(url);
    expect([answer.status, Number(answer.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(log.with('refused').map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('takes a login from its own page only, and binds the token against cross-site requests to it', async () => {
    const url = await open({ token: TOKEN });
    const login = { method: 'POST', body: JSON.stringify({ token: TOKEN }) };
    for (const headers of [
      { origin: 'http://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
    ]) {
      const all = { 'content-type': 'application/json', ...headers } as Record<string, string>;
      expect(await statusOf(url, '/login', { ...login, headers: all })).toBe(403);
    }
    const [one, other] = [await logIn(url), await logIn(url)];
    const csrf = await csrfOf(url, { cookie: one.cookie });
    expect((await drop(url, { cookie: other.cookie, 'x-sessionwise-csrf': csrf })).status).toBe(403);
    expect((await drop(url, { cookie: one.cookie, 'x-sessionwise-csrf': csrf })).status).toBe(409);
  });

  it('answers by the names that it was told, and by no other', async () => {
    const url = await open({ token: TOKEN, hostNames: ['Admin.example'] });
    const { cookie } = await logIn(url);
    const by = (host: string) => statusOf(url, '/health', { headers: { host, cookie } });
    expect([await by('admin.example'), await by('localhost'), await by('10.1.2.3'), await by('x.example')]).toEqual([
      200, 200, 403, 403,
    ]);
  });

  it('refuses a token that can be guessed', async () => {
    await expect(open({ token: 'short' })).rejects.toThrow(RangeError);
  });
});

/** Opens a stream and leaves it open; returns how to close it. */
function openStream(url: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}health/events`, (response) => {
      if (response.statusCode !== 200) reject(new Error(String(response.statusCode)));
      response.resume().on('error', () => undefined);
      resolve(() => sent.destroy());
    });
    sent.on('error', reject).end();
  });
}
