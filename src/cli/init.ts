import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { createConnection, parseConnection } from '../redis/index.ts';
import { applyPlan, isReadableByOthers } from './init/apply-plan.ts';
import { detectFramework, FRAMEWORKS, type Framework } from './init/framework.ts';
import { type PlannedFile, planFiles } from './init/plan-files.ts';
import { readDependencies } from './init/project-manifest.ts';
import { print } from './print.ts';

interface InitFlags {
  readonly framework?: string;
  readonly redis: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const REDIS_DEADLINE_MS = 1_000;
const SAID: Readonly<Record<PlannedFile['act'], readonly [done: string, planned: string]>> = {
  write: ['Wrote    ', 'Would write   '],
  add: ['Added to ', 'Would add to  '],
  replace: ['Replaced ', 'Would replace '],
  leave: ['Left     ', 'Would leave   '],
};

/** Adds `sessionwise init`: writes what a project needs to begin, and says what to type next. */
export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('write configuration, secrets and a page to try it with into a project')
    .argument('[folder]', 'the project: where its package.json is', '.')
    .addOption(
      new Option(
        '--framework <name>',
        'for which the page is (default: the one in package.json, else express)',
      ).choices([...FRAMEWORKS.keys()]),
    )
    .option('--redis <url>', 'where Redis is', 'redis://127.0.0.1:6379')
    .option('--force', 'replace the files that are there; secrets are never replaced')
    .option('--dry-run', 'only say what would be written')
    .addHelpText('after', '\nDoing it again changes nothing: what is there stays, and missing lines are added.')
    .action(runInit);
}

async function runInit(given: string, flags: InitFlags): Promise<void> {
  const folder = resolve(given);
  parseConnection(flags.redis);
  const installed = readDependencies(folder);
  const detected = detectFramework(installed);
  const framework = FRAMEWORKS.get(flags.framework ?? '') ?? detected ?? FRAMEWORKS.values().next().value!;
  const plan = planFiles(folder, framework, flags.redis, flags.force === true);
  if (!flags.dryRun) applyPlan(folder, plan);
  for (const { file, what, act } of plan) {
    const note = act === 'leave' ? 'as it is' : what;
    print(`${SAID[act][flags.dryRun ? 1 : 0]}${file.padEnd(22)} ${note}`);
  }
  if (flags.dryRun) return;
  if (isReadableByOthers(resolve(folder, '.env'))) print('Others can read .env, which holds secrets: chmod 600 .env');
  const left = plan
    .filter(({ act, file }) => act === 'leave' && file.startsWith('sessionwise'))
    .map(({ file }) => file);
  if (left.length > 0) print(`To have ${left.join(', ')} written anew: --force.`);
  // An .env that was there may name another one.
  const isNamed = plan.some(({ file, text }) => file === '.env' && text.includes(`REDIS_URL=${flags.redis}\n`));
  if (isNamed && !(await answers(flags.redis))) {
    print(`No Redis answers at ${flags.redis}: start one, or change REDIS_URL in .env.`);
  }
  print(nextSteps(framework, installed).join('\n'));
}

function nextSteps(framework: Framework, installed: ReadonlySet<string>): string[] {
  const missing = ['sessionwise', ...framework.packages].filter((name) => !installed.has(name));
  return [
    '',
    'Type next, the last two in two terminals:',
    missing.length > 0
      ? `  npm install ${missing.join(' ')}`
      : '  npx sessionwise doctor --env .env --config sessionwise.json',
    '  npx sessionwise serve --env .env --config sessionwise.json',
    ...(framework.steps ?? ['node --env-file=.env sessionwise-site.mjs']).map((step) => `  ${step}`),
    '',
    ...(framework.example === undefined
      ? [
          `Not written: a page to try it with, because a site of ${framework.title} has more than one file. A whole one to copy from:`,
          `  node_modules/sessionwise/examples/${framework.name}, and node_modules/sessionwise/docs/frameworks.md says why it is so.`,
          '',
        ]
      : []),
    `In a site of ${framework.title} that is there already:`,
    ...framework.lines.map((line) => `  ${installed.has('typescript') ? withAssertions(line) : line}`),
  ];
}

/** Says that the variables of `.env` are set: strict TypeScript takes them for possibly missing. */
function withAssertions(line: string): string {
  return line.replace(/process\.env\.\w+/g, '$&!');
}

/** Whether a Redis answers there. Only for a hint: nothing that `init` writes depends on it. */
async function answers(url: string): Promise<boolean> {
  const connection = createConnection(url, 'init');
  try {
    await connection.connect(REDIS_DEADLINE_MS);
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
