import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from '../../src/redis/index.ts';

const READERS: Readonly<Record<string, readonly string[]>> = {
  string: ['GET', ''],
  hash: ['HGETALL', ''],
  list: ['LRANGE', '', '0', '-1'],
  set: ['SMEMBERS', ''],
  zset: ['ZRANGE', '', '0', '-1'],
  stream: ['XRANGE', '', '-', '+'],
};

/** Everything that a Redis holds, read in two ways: each key with its value, by the name of the key, and a snapshot as it
 *  would lie on a disk, as `the snapshot`. Bytes are Latin-1 characters.
 *  @throws Error for a type of value that is not known here. */
async function readAll(url: string): Promise<Map<string, string>> {
  const redis = await createConnection(url).connect();
  try {
    const places = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, keys] = await redis.commandForBuffers<[Buffer, Buffer[]]>('SCAN', cursor, 'COUNT', '1000');
      for (const key of keys) {
        const type = await redis.command<string>('TYPE', key);
        const reader = READERS[type];
        if (type === 'none') continue;
        if (!reader) throw new Error(`Nothing here reads a value of type ${type}.`);
        const [command, , ...rest] = reader;
        const value = await redis.commandForBuffers(command!, key, ...rest);
        places.set(key.toString('latin1'), [key.toString('latin1'), ...textsOf(value)].join('\n'));
      }
      cursor = next.toString();
    } while (cursor !== '0');
    // Compressed, a text could lie there and not be found.
    await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
    await redis.command('SAVE');
    const settings = await Promise.all(
      ['dir', 'dbfilename'].map(async (name) => textsOf(await redis.commandForBuffers('CONFIG', 'GET', name))[1]!),
    );
    places.set('the snapshot', readFileSync(join(...(settings as [string, string])), 'latin1'));
    return places;
  } finally {
    await redis.close();
  }
}

/** In which keys a text stands, in their name or their value, and whether in `the snapshot`. */
export async function placesOf(url: string, texts: readonly string[]): Promise<string[]> {
  return [...(await readAll(url))]
    .filter(([, held]) => texts.some((text) => held.includes(text)))
    .map(([place]) => place);
}

/** The forms in which a token of ours could be used, or turned into one that can: itself, its secret, and the secret's
 *  bytes, plain and in hexadecimal. */
export function formsOfToken(token: string): string[] {
  const secret = token.slice(token.indexOf('.') + 1);
  const bytes = Buffer.from(secret, 'base64url');
  return [token, secret, bytes.toString('latin1'), bytes.toString('hex')];
}

function textsOf(reply: unknown): string[] {
  if (Buffer.isBuffer(reply)) return [reply.toString('latin1')];
  if (Array.isArray(reply)) return reply.flatMap(textsOf);
  if (reply instanceof Map) return [...reply].flatMap(textsOf);
  if (typeof reply === 'object' && reply !== null) return Object.entries(reply).flatMap(textsOf);
  return reply === null || reply === undefined ? [] : [String(reply)];
}
