import { randomBytes } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';
import type { Framework } from './framework.ts';
import { missingLines, setsSameVariable } from './missing-lines.ts';

/** What becomes of one file of the project. */
export interface PlannedFile {
  readonly file: string;
  /** What it is for. */
  readonly what: string;
  /** `write`: it is new. `add`: lines are added to its end. `replace`: it is there, and `--force` was given. `leave`: it stays. */
  readonly act: 'write' | 'add' | 'replace' | 'leave';
  /** The new text, or what is added. */
  readonly text: string;
  /** Permissions of a new file. Default 0o644. */
  readonly mode?: number;
}

const SCHEMA_FOLDER = './node_modules/sessionwise/schema';
const IGNORED = ['node_modules/', '.env', '.sessionwise/'];
const RULES = {
  $schema: `${SCHEMA_FOLDER}/rules.schema.json`,
  clusters: { articles: ['/articles/*'] },
  segments: { readers: { cluster: 'articles', atLeast: 3 } },
  suggestions: [
    {
      name: 'subscribe',
      when: { segment: 'readers' },
      suggest: '/subscribe',
      reason: 'Three articles read: the newsletter has the next ones.',
    },
  ],
};

/** Plans what `init` writes: nothing that is there is changed, except that lines are added to `.env` and `.gitignore`. `force`
 *  replaces the other files; no secret is ever replaced, because what it keyed could not be read any more.
 *  @throws UsageError where something in the way is no file. */
export function planFiles(folder: string, framework: Framework, redisUrl: string, force: boolean): PlannedFile[] {
  const config = { $schema: `${SCHEMA_FOLDER}/config.schema.json`, rules: 'sessionwise.rules.json' };
  const whole = (file: string, what: string, text: string): PlannedFile => {
    const isThere = readIfThere(folder, file) !== undefined;
    return { file, what, text, act: isThere ? (force ? 'replace' : 'leave') : 'write' };
  };
  const lines = (
    file: string,
    what: string,
    wanted: readonly string[],
    mode: number,
    same?: typeof setsSameVariable,
  ) => {
    const text = readIfThere(folder, file);
    const added = missingLines(text ?? '', wanted, same);
    return {
      file,
      what,
      mode,
      text: added,
      act: text === undefined ? 'write' : added === '' ? 'leave' : 'add',
    } as const;
  };
  return [
    whole('sessionwise.json', 'the configuration of the service', `${JSON.stringify(config, null, 2)}\n`),
    whole(
      'sessionwise.rules.json',
      'clusters of pages, segments and suggestions',
      `${JSON.stringify(RULES, null, 2)}\n`,
    ),
    ...(framework.example === undefined
      ? []
      : [whole('sessionwise-site.mjs', `a page to try it with, in ${framework.title}`, framework.example)]),
    lines(
      '.env',
      'where Redis is, and two secrets',
      [`REDIS_URL=${redisUrl}`, `SESSIONWISE_SECRET=${newSecret()}`, `COOKIE_SECRET=${newSecret()}`],
      0o600,
      setsSameVariable,
    ),
    lines('.gitignore', 'keeps secrets out of the repository', IGNORED, 0o644),
  ];
}

/** Makes a secret of 256 bits, of letters that need no quotes in an environment file. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function readIfThere(folder: string, file: string): string | undefined {
  const path = join(folder, file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new UsageError(`${path} is no plain file, so nothing was written: move it away first.`);
  return readFileSync(path, 'utf8');
}
