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
} from '../../../src/redis/index.ts';

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

describe('the URL of a connection', () => {
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
    ['redis+cluster://h', { cluster: [{ host: 'h', port: 6379 }] }],
    [
      'redis+cluster://u:p%40%2C@h1:7000,[::1]:7001,h3/0',
      {
        username: 'u',
        password: 'p@,',
        cluster: [
          { host: 'h1', port: 7000 },
          { host: '::1', port: 7001 },
          { host: 'h3', port: 6379 },
        ],
        db: 0,
      },
    ],
    ['rediss+cluster://:p@h/', { password: 'p', tls: true, cluster: [{ host: 'h', port: 6379 }] }],
    [
      'redis+sentinel://h1:7000,h2/main',
      {
        sentinels: [
          { host: 'h1', port: 7000 },
          { host: 'h2', port: 26_379 },
        ],
        master: 'main',
      },
    ],
    [
      'rediss+sentinel://u:p@h/the%20main/3',
      {
        username: 'u',
        password: 'p',
        tls: true,
        sentinels: [{ host: 'h', port: 26_379 }],
        master: 'the main',
        db: 3,
      },
    ],
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
    'redis://h/%zz',
    'redis+cluster://',
    'redis+cluster://h1,,h2',
    'redis+cluster://h1:port',
    'redis+cluster://h1:99999',
    'redis+cluster://h/one',
    'redis+cluster://h/0/1',
    'redis+cluster://h?x=1',
    'redis+unix:///tmp/r.sock',
    'redis+sentinel://h',
    'redis+sentinel://h/',
    'redis+sentinel://h/main/one',
    'redis+sentinel://h/main/1/2',
  ])('%j is refused', (url) => {
    expect(messageOf(() => parseConnection(url))).toMatch(/[.]$/);
  });
});

describe('a password of a URL that is not escaped', () => {
  it.each([
    ['redis://shop:1234/hunter2@h:6379/0', '%2F'],
    ['redis://shop:1234/5@h:6379', '%2F'],
    ['redis://hunter2/shop@h', '%2F'],
    ['rediss://shop:1234?hunter2@h:6379', '%3F'],
    ['redis://shop:1234#hunter2@h:6379', '%23'],
    ['redis://shop:hunter2/x@h:6379', '%2F'],
    ['redis://:hunter2/x@h', '%2F'],
    ['redis+cluster://shop:1234/hunter2@h', 'not one'],
    ['redis+sentinel://shop:1234/hunter2@h/main', 'not one'],
    ['unix://shop:1234/hunter2@/tmp/r.sock', 'not one'],
    ['hunter2:shop@h:6379', 'not one'],
    ['redis://h/hunter2', 'no database number'],
    ['redis+cluster://h/hunter2', 'no database number'],
    ['redis+cluster://h/0/hunter2', 'too much'],
    ['redis+sentinel://h/main/hunter2', 'no database number'],
  ])('in %j is refused, and not shown', (url, named) => {
    const message = messageOf(() => parseConnection(url));
    expect(message).toContain(named);
    expect(message).not.toMatch(/hunter2|1234|shop/);
  });
});

describe('the options of a connection', () => {
  it('are taken as they are where they are right', () => {
    const options = { host: 'h', port: 1, username: 'u', password: 'p', db: 0, tls: { servername: 's' } };
    expect(parseConnection(options)).toEqual(options);
    expect(parseConnection({})).toEqual({});
    const cluster = { cluster: [{ host: 'h' }, { host: 'g', port: 2 }], tls: true, db: 0 };
    expect(parseConnection(cluster)).toEqual(cluster);
    const sentinel = {
      sentinels: [{ host: 'h' }],
      master: 'main',
      sentinelUsername: 'u',
      sentinelPassword: 'p',
      db: 2,
    };
    expect(parseConnection(sentinel)).toEqual(sentinel);
    expect(parseConnection({ url: 'redis+sentinel://h/main', sentinelPassword: 'p' })).toMatchObject({
      master: 'main',
    });
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
    [{ cluster: [] }, '"cluster" must be a list of addresses'],
    [{ cluster: 'h:1' }, '"cluster" must be a list of addresses'],
    [{ cluster: [{ port: 1 }] }, 'An address of "cluster" has no host'],
    [{ cluster: ['h:1'] }, 'An address of "cluster" has no host'],
    [{ cluster: [{ host: 'h', port: 0 }] }, 'The port 0'],
    [{ cluster: [{ host: 'h' }], host: 'h' }, '"host" and "cluster" exclude each other'],
    [{ cluster: [{ host: 'h' }], path: '/tmp/r.sock' }, '"path" and "cluster" exclude each other'],
    [{ cluster: [{ host: 'h' }], sentinels: [{ host: 'h' }] }, '"sentinels" and "cluster" exclude each other'],
    [{ cluster: [{ host: 'h' }], db: 1 }, 'A Cluster has the database 0 only, not 1'],
    [{ url: 'redis+cluster://h/2' }, 'A Cluster has the database 0 only, not 2'],
    [{ sentinels: [], master: 'main' }, '"sentinels" must be a list of addresses'],
    [{ sentinels: [{ host: 'h' }] }, 'The master is missing'],
    [{ sentinels: [{ host: 'h' }], master: 7 }, '"master" must be a string'],
    [{ sentinels: [{ host: 'h' }], master: 'main', path: '/tmp/r.sock' }, '"path" and "sentinels" exclude each other'],
    [{ host: 'h', master: 'main' }, '"master" is for Sentinel'],
    [{ host: 'h', sentinelPassword: 'secret-one' }, '"sentinelPassword" is for Sentinel'],
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

describe('the password of a connection', () => {
  it.each([
    `redis://:${PASSWORD}@h:port`,
    `redis://u:${PASSWORD}@h/one`,
    `http://u:${PASSWORD}@h`,
    `redis//${PASSWORD}`,
    PASSWORD,
    `redis+cluster://u:${PASSWORD}`,
    `redis+cluster://u:${PASSWORD}@h/one`,
    `redis+cluster://u:${PASSWORD}/x@h`,
    `redis+cluster://u:${PASSWORD}@h:port`,
    `redis+cluster://u:${PASSWORD}@h?x`,
    `redis+sentinel://u:${PASSWORD}@h`,
    `redis+sentinel://u:${PASSWORD}@h/main/x`,
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
    expect(describeConnection(parseConnection('redis://[::1]:7000'))).toBe('[::1]:7000');
    const login = `someone:${PASSWORD}@`;
    expect(describeConnection(parseConnection(`redis+cluster://${login}h1:1,[::1],h2`))).toBe(
      'h1:1,[::1]:6379,h2:6379',
    );
    expect(describeConnection(parseConnection(`redis+sentinel://${login}h1:1,h2/main`))).toBe('main of h1:1,h2:26379');
  });
});
