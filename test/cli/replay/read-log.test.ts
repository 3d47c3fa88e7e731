import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Log, MAX_LINE_BYTES, openLog } from '../../../src/cli/replay/read-log.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sw-log-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function linesOf(log: Log): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  for await (const line of log.lines) lines.push(line);
  return lines;
}

async function read(name: string, content: string | Buffer): Promise<(string | undefined)[]> {
  return linesOf(await openLog(await file(name, content)));
}

it.each([
  ['lines', 'a\nb\n', ['a', 'b']],
  ['no last line feed', 'a\nb', ['a', 'b']],
  ['blank lines stay', 'a\n\nb\n\n', ['a', '', 'b', '']],
  ['nothing', '', []],
])('reading a log: %s', async (_, content, lines) => {
  expect(await read('plain.log', content)).toEqual(lines);
  expect(await read('zipped.log', gzipSync(content))).toEqual(lines); // known by its bytes
  expect(await read('zipped.log.gz', gzipSync(content))).toEqual(lines);
});

it('reading a log: gzip files one after the other are one log, as rotation leaves them', async () => {
  expect(await read('two.gz', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]))).toEqual(['a', 'b']);
});

it('reading a log: bytes come through as latin1', async () => {
  expect(await read('bytes.log', Buffer.from([0x00, 0xff, 0xc3, 0x0a]))).toEqual(['\u0000\u00ff\u00c3']);
});

it('reading a log: lines cross chunks, also one byte at a time from a pipe', async () => {
  const bytes = [...gzipSync('one\ntwo\n')].map((byte) => Buffer.from([byte]));
  const log = await openLog('-', { stdin: Readable.from(bytes) });
  expect(await linesOf(log)).toEqual(['one', 'two']);
  expect(log.progress()).toBeUndefined();
  expect(log.name).toBe('standard input');
});

it('reading a log: a line that is too long is one undefined, and the next is whole', async () => {
  const longest = 'x'.repeat(MAX_LINE_BYTES);
  expect(await read('long.log', `${longest}\n${longest}y\nnext\n${'z'.repeat(5 * MAX_LINE_BYTES)}`)).toEqual([
    longest,
    undefined,
    'next',
    undefined,
  ]);
});

it('reading a log: it tells how far it is', async () => {
  const log = await openLog(await file('progress.log', 'a\n'));
  expect(log.progress()).toBe(0);
  await linesOf(log);
  expect(log.progress()).toBe(1);
});

it.each([
  ['a missing file', async () => join(folder, 'none.log'), /none\.log cannot be read: there is no such file\.$/],
  ['a folder', async () => folder, /it is a folder; give one file\.$/],
])('reading a log: %s', async (_, path, message) => {
  await expect(openLog(await path())).rejects.toMatchObject({
    code: 'LOG_UNREADABLE',
    message: expect.stringMatching(message),
  });
});

it.each([
  ['cut.gz', gzipSync('a\n'.repeat(100_000)).subarray(0, 100), /its gzip data ends too early/],
  ['damaged.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9]), /it is not gzip, or damaged/],
  ['plain.gz', 'a plain line\n', /it is not gzip, or damaged/],
])('reading a log: %s', async (name, content, message) => {
  await expect(read(name, content)).rejects.toMatchObject({
    code: 'LOG_UNREADABLE',
    message: expect.stringMatching(message),
  });
});

it('reading a log: an abort ends the reading of a pipe that says nothing', async () => {
  const ending = new AbortController();
  const log = await openLog('-', { stdin: new Readable({ read: () => undefined }), signal: ending.signal });
  const lines = linesOf(log);
  ending.abort(new Error('enough'));
  await expect(lines).rejects.toThrow('enough');
});
