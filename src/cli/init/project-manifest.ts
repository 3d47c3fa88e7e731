import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** Returns the names of a project's dependencies, of all kinds.
 *  @throws UsageError where its package.json is missing or cannot be read. */
export function readDependencies(folder: string): ReadonlySet<string> {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) {
    throw new UsageError(
      `There is no package.json in ${folder}: run \`npm init -y\` there first, or name another folder.`,
    );
  }
  try {
    const { dependencies, devDependencies, peerDependencies } = JSON.parse(readFileSync(file, 'utf8'));
    return new Set([dependencies, devDependencies, peerDependencies].flatMap((each) => Object.keys(each ?? {})));
  } catch (error) {
    throw new UsageError(`${file} cannot be read: mend it first.`, { cause: error });
  }
}
