import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessMark } from './process-mark.ts';

/** The contents of `redis.json`. `startedBy` is the pid of the server's parent process. */
export interface EmbeddedAddress extends ProcessMark {
  readonly url: string;
  readonly startedBy: number;
}

/** The file that holds the address of the embedded Redis of `dataDir` while it runs. */
export function embeddedAddressFile(dataDir: string): string {
  return join(dataDir, 'redis.json');
}

/** Reads the url of the embedded Redis that runs in `dataDir`: `unix://<absolute path>` or `redis://127.0.0.1:<port>`.
 *  Undefined where none runs; the file of a dead one is ignored. */
export function readEmbeddedAddress(dataDir: string): string | undefined {
  try {
    const address = JSON.parse(readFileSync(embeddedAddressFile(dataDir), 'utf8')) as EmbeddedAddress;
    return typeof address.url === 'string' && isRunning(address) ? address.url : undefined;
  } catch {
    return undefined;
  }
}
