import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ReplayError } from './replay-error.ts';

/** The longest line that is read, in bytes; servers cut request lines and headers off at 8 KiB each. */
export const MAX_LINE_BYTES: number = 64 * 1024;

/** An open log. */
export interface Log {
  /** Name for messages. */
  readonly name: string;
  /** Lines as latin1 text; undefined for a line that is too long. Can be iterated once. */
  readonly lines: AsyncIterable<string | undefined>;
  /** Share of the file that was read, 0 to 1; undefined for a pipe. */
  readonly progress: () => number | undefined;
  /** Ends reading; safe at any time. */
  readonly close: () => void;
}

/** How a log is read. */
export interface LogOptions {
  /** What `-` reads. Default: the process's. */
  readonly stdin?: Readable;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** The longest line that is read, in bytes. Default 65,536. */
  readonly maxLineBytes?: number;
  /** Makes the error of a file that cannot be read. Default: ReplayError `LOG_UNREADABLE`. */
  readonly makeError?: (message: string) => Error;
}

/** Opens a log, or another file of lines: a file, or `-` for standard input. Gzip is known by its first bytes, whatever the
 *  name.
 *  @throws ReplayError `LOG_UNREADABLE`, or what `makeError` makes, here and while its lines are read. */
export async function openLog(file: string, options: LogOptions = {}): Promise<Log> {
  const { stdin = process.stdin, signal, maxLineBytes = MAX_LINE_BYTES, makeError = logUnreadable } = options;
  const name = file === '-' ? 'standard input' : file;
  const { source, sizeBytes } = file === '-' ? { source: stdin, sizeBytes: 0 } : await openFile(file, makeError);
  const stop = (): void => void source.destroy();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  let readBytes = 0;
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      readBytes += chunk.length;
      yield chunk;
    }
  };
  const lines = async function* (): AsyncGenerator<string | undefined> {
    try {
      yield* splitLines(unpack(chunks(), file.endsWith('.gz')), maxLineBytes);
    } catch (error) {
      signal?.throwIfAborted();
      throw makeError(describeFailure(name, error as Error));
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    signal?.throwIfAborted();
  };
  return {
    name,
    lines: lines(),
    progress: () => (sizeBytes === 0 ? undefined : Math.min(1, readBytes / sizeBytes)),
    close: stop,
  };
}

async function openFile(
  file: string,
  makeError: (message: string) => Error,
): Promise<{ source: Readable; sizeBytes: number }> {
  try {
    const handle = await open(file, 'r');
    const status = await handle.stat();
    if (!status.isDirectory()) return { source: handle.createReadStream(), sizeBytes: status.size };
    await handle.close();
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw makeError(describeFailure(file, error as Error));
  }
}

/** Unzips a log that begins with the bytes of gzip. `named`: whether the file's name ends in .gz. */
async function* unpack(chunks: AsyncGenerator<Buffer>, named: boolean): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* chunks;
  };
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    if (named && head.length > 0) throw Object.assign(new Error(), { code: 'Z_DATA_ERROR' });
    yield* whole();
    return;
  }
  const gunzip = createGunzip();
  pipeline(Readable.from(whole()), gunzip, () => undefined); // its errors come out of gunzip
  yield* gunzip as AsyncIterable<Buffer>;
}

async function* splitLines(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<string | undefined> {
  let pending = '';
  let isTooLong = false;
  for await (const chunk of chunks) {
    const parts = chunk.toString('latin1').split('\n');
    for (let i = 0; i < parts.length; i += 1) {
      if (!isTooLong) pending += parts[i]!;
      if (pending.length > maxLineBytes) {
        isTooLong = true;
        pending = '';
      }
      if (i === parts.length - 1) break;
      yield isTooLong ? undefined : pending;
      pending = '';
      isTooLong = false;
    }
  }
  if (isTooLong || pending !== '') yield isTooLong ? undefined : pending;
}

function logUnreadable(message: string): ReplayError {
  return new ReplayError('LOG_UNREADABLE', `The log ${message}`);
}

function describeFailure(name: string, error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder; give one file',
    EACCES: 'reading it is not permitted',
    Z_DATA_ERROR: 'it is not gzip, or damaged',
    Z_BUF_ERROR: 'its gzip data ends too early',
  };
  return `${name} cannot be read: ${why[code] ?? code}.`;
}
