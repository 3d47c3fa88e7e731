import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { type AnswerHead, addHeadersAtHead } from '../../../src/adapters/http/add-headers-at-head.ts';

/* Each way in which Node is told the head of an answer. */

const OURS = 'ours=1; Path=/';
const NONE = 'none';

interface Answer {
  readonly cookies: readonly string[] | undefined;
  readonly seen: readonly AnswerHead[];
  readonly incoming: IncomingMessage;
}

async function answerOf(handle: (response: ServerResponse) => void, line = OURS): Promise<Answer> {
  const seen: AnswerHead[] = [];
  const server = createServer((_request, response) => {
    addHeadersAtHead(response, (head) => {
      seen.push(head);
      return line === NONE ? [] : [['Set-Cookie', line]];
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
    expect((await answerOf(handle)).seen).toEqual([{ statusCode: 200, cacheControl: 'public' }]);
  }
});

it('shows the status, wherever it is given', async () => {
  for (const handle of [
    (response: ServerResponse) => response.writeHead(404).end(),
    (response: ServerResponse) => Object.assign(response, { statusCode: 404 }).end(),
    (response: ServerResponse) => response.writeHead(404, 'Gone fishing', { 'x-one': '1' }).end(),
  ]) {
    expect((await answerOf(handle)).seen).toEqual([{ statusCode: 404, cacheControl: undefined }]);
  }
});

it('adds lines of several names, and those of several callers', async () => {
  const timing = async (handle: (response: ServerResponse) => void): Promise<unknown[]> => {
    const { incoming } = await answerOf((response) => {
      addHeadersAtHead(response, () => [
        ['Server-Timing', 'sessionwise'],
        ['Set-Cookie', 'more=1'],
      ]);
      handle(response);
    });
    return [incoming.headers['server-timing'], incoming.headers['set-cookie']];
  };
  expect(await timing((response) => response.end())).toEqual(['sessionwise', ['more=1', OURS]]);
  expect(await timing((response) => response.setHeader('server-timing', 'db;dur=5').end())).toEqual([
    'db;dur=5, sessionwise',
    ['more=1', OURS],
  ]);
  expect(await timing((response) => response.writeHead(200, { 'Server-Timing': 'db;dur=5' }).end())).toEqual([
    'db;dur=5, sessionwise',
    ['more=1', OURS],
  ]);
});
