import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretMissingError } from './secret-missing-error.ts';

/** The file of a generated secret, in the data folder. */
export function secretFile(dataDir: string): string {
  return join(dataDir, 'secret');
}

/** Whether others than its owner may read the file of a generated secret. Never on Windows, where modes say nothing. */
export function isSecretExposed(dataDir: string): boolean {
  try {
    return process.platform !== 'win32' && (statSync(secretFile(dataDir)).mode & 0o077) !== 0;
  } catch {
    return false;
  }
}

/** Finds the secret: the given one, else the one that an earlier start left in the data folder, else, only where the
 *  namespace is new (`isNew`), a random one, which is left there with mode 600.
 *  @throws SecretMissingError where the namespace was made with a secret that is not here. */
export function resolveSecret(options: { given: string | undefined; dataDir: string | undefined; isNew: boolean }): {
  secret: string;
  generated: boolean;
} {
  const { given, dataDir, isNew } = options;
  if (given !== undefined) return { secret: given, generated: false };
  const left = dataDir === undefined ? undefined : readLeft(dataDir);
  if (left !== undefined) return { secret: left, generated: false };
  if (!isNew || dataDir === undefined) {
    throw new SecretMissingError(
      isNew
        ? 'A service needs a secret: give startService the option secret, 32 random characters, or dataDir, a folder for a generated one. It does not read SESSIONWISE_SECRET.'
        : 'This namespace was made with a secret, and none was given: set SESSIONWISE_SECRET to it (startService: secret), give the folder in which its first service left it with --data-dir (dataDir), or use another --namespace.',
    );
  }
  const secret = randomBytes(32).toString('base64url');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    // wx: of two services that start at once, one writes and the other reads.
    writeFileSync(secretFile(dataDir), `${secret}\n`, { mode: 0o600, flag: 'wx' });
    return { secret, generated: true };
  } catch (error) {
    const written = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readLeft(dataDir) : undefined;
    if (written === undefined) throw error;
    return { secret: written, generated: false };
  }
}

function readLeft(dataDir: string): string | undefined {
  try {
    return readFileSync(secretFile(dataDir), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
