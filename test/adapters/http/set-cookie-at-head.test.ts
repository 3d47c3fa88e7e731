import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { setCookieAtHead } from '../../../src/adapters/http/set-cookie-at-head.ts';

/* Each way in which Node is told the head of an answer. */

const OURS = 'ours=1; Path=/';
const NONE = 'none';

interface Answer {
  readonly cookies: readonly string[] | undefined;
  readonly seen: readonly (string | undefined)[];
  readonly incoming: IncomingMessage;
}

async function answerOf(handle: (response: ServerResponse) => void, line = OURS): Promise<Answer> {
  const seen: (string | undefined)[] = [];
  const server = createServer((_request, response) => {
    setCookieAtHead(response, (cacheControl) => {
      seen.push(cacheControl);
      return line === NONE ? undefined : line;
    });
    handle(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const [incoming] = (await once(
    get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }),
    'response',
  )) as [IncomingMessage];
  incoming.resume();
  await once(incoming, 'end');
  return { cookies: incoming.headers['set-cookie'], seen, incoming };
}

it.each<[string, (response: ServerResponse) => void, string[]]>([
  ['end', (response) => response.end(), []],
  ['write and end', (response) => response.write('a') && response.end('b'), []],
  [
    'flushHeaders',
    (response) => {
      response.flushHeaders();
      response.end();
    },
    [],
  ],
  ['writeHead', (response) => response.writeHead(302).end(), []],
  ['writeHead with a reason', (response) => response.writeHead(302, 'Elsewhere', { location: '/' }).end(), []],
  ['setHeader of one', (response) => response.setHeader('Set-Cookie', 'a=1').end(), ['a=1']],
  ['setHeader of two', (response) => response.setHeader('set-cookie', ['a=1', 'b=2']).end(), ['a=1', 'b=2']],
  ['an object', (response) => response.writeHead(200, { 'SET-COOKIE': 'a=1' }).end(), ['a=1']],
  [
    'a reason and an object',
    (response) => response.writeHead(200, 'Fine', { 'set-cookie': ['a=1', 'b=2'] }).end(),
    ['a=1', 'b=2'],
  ],
  [
    'a list',
    (response) => response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'x', '1'] as never).end(),
    ['a=1', 'b=2'],
  ],
  ['a list without one', (response) => response.writeHead(200, ['x', '1', 'y', '2'] as never).end(), []],
])('adds the line to the cookies of others: %s', async (_, handle, others) => {
  const { cookies, seen } = await answerOf(handle);
  expect(cookies).toEqual([...others, OURS]);
  expect(seen).toHaveLength(1);
});

it('changes nothing where there is no line, and keeps all other headers where there is', async () => {
  const headers = { 'set-cookie': 'a=1', 'x-one': '1', 'X-Two': ['2', '3'] };
  const without = await answerOf((response) => response.writeHead(201, 'Made', headers).end(), NONE);
  expect(without.cookies).toEqual(['a=1']);
  const { incoming } = await answerOf((response) => response.writeHead(201, 'Made', headers).end());
  expect([incoming.statusCode, incoming.statusMessage]).toEqual([201, 'Made']);
  expect(incoming.headers).toMatchObject({ 'x-one': '1', 'x-two': '2, 3' });
});

it('shows the Cache-Control of the answer, wherever it is given', async () => {
  for (const handle of [
    (response: ServerResponse) => response.setHeader('Cache-Control', 'public').end(),
    (response: ServerResponse) => response.writeHead(200, { 'cache-control': 'public' }).end(),
    (response: ServerResponse) => response.writeHead(200, 'Fine', { 'cache-control': 'public' }).end(),
  ]) {
    expect((await answerOf(handle)).seen).toEqual(['public']);
  }
});
