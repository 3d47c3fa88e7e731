import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ConnectionOptions,
  ConnectionOptionsError,
  describeConnection,
  parseConnection,
  readConnectionFile,
} from '../../src/redis/index.ts';

const PASSWORD = 'hunter2-very-secret';
const folder = mkdtempSync(join(tmpdir(), 'sw-connection-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, 'connection.json');
  writeFileSync(path, content);
  return path;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionOptionsError);
    expect((error as ConnectionOptionsError).code).toBe('CONNECTION_OPTIONS');
    return (error as Error).message;
  }
  throw new Error('It was taken.');
}

describe('a URL', () => {
  it.each<[string, ConnectionOptions]>([
    ['redis://h', { host: 'h', port: 6379 }],
    ['redis://h:7000', { host: 'h', port: 7000 }],
    ['redis://h/2', { host: 'h', port: 6379, db: 2 }],
    ['redis://h:7000/0', { host: 'h', port: 7000, db: 0 }],
    ['redis://', { host: '127.0.0.1', port: 6379 }],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }],
    ['redis://u:p@h', { host: 'h', port: 6379, username: 'u', password: 'p' }],
    ['redis://:p%40%3A%2F@h', { host: 'h', port: 6379, password: 'p@:/' }],
    ['rediss://h:7000', { host: 'h', port: 7000, tls: true }],
    ['unix:///tmp/r.sock', { path: '/tmp/r.sock' }],
    ['unix:///tmp/a%20b%23.sock', { path: '/tmp/a b#.sock' }],
  ])('%s is read', (url, options) => {
    const { url: given, ...read } = parseConnection(url);
    expect(given).toBe(url);
    expect(read).toEqual(options);
    expect(parseConnection({ url })).toEqual(parseConnection(url));
    // What was read is read again by a duplicate of the connection.
    expect(parseConnection(parseConnection(url))).toEqual(parseConnection(url));
  });

  it.each([
    'localhost',
    'localhost:6379',
    '',
    'http://h',
    'redis//h',
    'redis://h:port',
    'redis://h/one',
    'redis://h/-1',
    'redis://h/1/2',
    'redis://h:99999',
  ])('%j is refused', (url) => {
    expect(messageOf(() => parseConnection(url))).toMatch(/[.]$/);
  });
});

describe('options', () => {
  it('are taken as they are where they are right', () => {
    const options = { host: 'h', port: 1, username: 'u', password: 'p', db: 0, tls: { servername: 's' } };
    expect(parseConnection(options)).toEqual(options);
    expect(parseConnection({})).toEqual({});
  });

  it.each([
    [{ port: 0 }, '0'],
    [{ port: 65_536 }, '65536'],
    [{ port: 1.5 }, '1.5'],
    [{ port: '6379' }, '"6379"'],
    [{ db: -1 }, '-1'],
    [{ db: '1' }, '"1"'],
    [{ host: 7 }, '"host"'],
    [{ path: null }, '"path"'],
    [{ password: 7 }, '"password"'],
    [{ hots: 'h' }, '"hots"'],
  ])('%j are refused by a message that names %s', (options, named) => {
    expect(messageOf(() => parseConnection(options as ConnectionOptions))).toContain(named);
  });
});

describe('a connection file', () => {
  it('holds a URL or the parts', () => {
    expect(readConnectionFile(file('{"url":"redis://h:7000"}'))).toMatchObject({ host: 'h', port: 7000 });
    expect(readConnectionFile(file('{"host":"h","port":7,"password":"p"}'))).toEqual({
      host: 'h',
      port: 7,
      password: 'p',
    });
  });

  it.each(['', '{', '[]', 'null', '"redis://h"', '7', '{"port":"x"}', '{"url":"nope"}'])(
    'with %j is refused',
    (content) => {
      expect(messageOf(() => readConnectionFile(file(content)))).toMatch(/[.]$/);
    },
  );

  it('that is not there is refused by its name', () => {
    const missing = join(folder, 'missing.json');
    expect(messageOf(() => readConnectionFile(missing))).toMatch(/missing\.json cannot be read \(ENOENT\)/);
    expect(messageOf(() => readConnectionFile(folder))).toContain('EISDIR');
  });
});

describe('the password', () => {
  it.each([
    `redis://:${PASSWORD}@h:port`,
    `redis://u:${PASSWORD}@h/one`,
    `http://u:${PASSWORD}@h`,
    `redis//${PASSWORD}`,
    PASSWORD,
  ])('is in no message about %s', (url) => {
    expect(messageOf(() => parseConnection(url))).not.toContain(PASSWORD);
  });

  it('is in no message about a file', () => {
    for (const content of [
      `{"password":"${PASSWORD}",}`,
      `{"password":"${PASSWORD}","port":"x"}`,
      `{"url":"redis://:${PASSWORD}@h:port"}`,
      `"${PASSWORD}"`,
    ]) {
      expect(messageOf(() => readConnectionFile(file(content)))).not.toContain(PASSWORD);
    }
  });

  it('is not in an address for people, nor is the user', () => {
    expect(describeConnection(parseConnection(`redis://someone:${PASSWORD}@h:7000/2`))).toBe('h:7000');
    expect(describeConnection({ path: '/tmp/r.sock', username: 'someone', password: PASSWORD })).toBe('/tmp/r.sock');
    expect(describeConnection({})).toBe('127.0.0.1:6379');
  });
});
