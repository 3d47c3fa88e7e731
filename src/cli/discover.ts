import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import {
  DiscoverError,
  type Discovery,
  discover,
  discoverPairs,
  draftsOf,
  LEAST_SUBJECTS,
  MemoryBudget,
  type Support,
} from '../discover/index.ts';
import { checkPairNames, PAIR_WEEKS, PairCounts, pairNamesOf } from '../knowledge/index.ts';
import { addDrafts, checkDraftsFile, withJsonFiles } from '../rule-files/index.ts';
import {
  BASKETS,
  type DataWords,
  describeDiscovery,
  describeFile,
  SUBJECTS,
  VISITORS,
} from './discover/describe-discovery.ts';
import { BASKET_FORMATS, type BasketFile, type BasketFormat, readBaskets } from './discover/read-baskets.ts';
import { addNamespaceOptions, type NamespaceFlags, resolveNamespace } from './namespace-options.ts';
import { numberOption } from './number-option.ts';
import { print } from './print.ts';
import { readShare, shareOption } from './share-option.ts';
import { UsageError } from './usage-error.ts';
import { withNamespace } from './with-namespace.ts';

interface DiscoverFlags extends NamespaceFlags {
  readonly live?: boolean;
  readonly weeks: number;
  readonly support: Support;
  readonly confidence: number;
  readonly lift: number;
  readonly maxItems: number;
  readonly top: number;
  readonly redundant?: boolean;
  readonly format: BasketFormat;
  readonly delimiter: string;
  readonly allRequests?: boolean;
  readonly maxItemsets: number;
  readonly maxMemory: number;
  readonly json?: boolean;
  readonly out?: string;
}

const MIB = 1024 * 1024;
/** What --support is where it is left out. The least number keeps chance out of small files. */
const DEFAULT_SUPPORT: Support = { share: 0.01, count: 5 };

/** Adds `sessionwise discover`: finds rules in baskets, and writes drafts that a person approves. */
export function addDiscoverCommand(program: Command): void {
  const command = program
    .command('discover')
    .description('find rules in baskets or in an access log: what goes together, as drafts for suggestions')
    .argument('[file]', 'baskets, one a line (CSV, or JSON), or an access log; plain or gzip; - for standard input')
    .addOption(supportOption())
    .addOption(shareOption('--confidence <share>', 'in what share of the cases a rule must be right').default(0.25))
    .addOption(liftOption())
    .addOption(numberOption('--max-items <n>', 'the most items of a rule, the suggested one included', 2, 8).default(4))
    .addOption(numberOption('--top <n>', 'how many rules to list, the best first', 1, 1_000).default(20))
    .option('--redundant', 'list rules too that ask for more than another one and are no more often right')
    .addOption(new Option('--format <format>', 'what the file holds').choices(BASKET_FORMATS).default('auto'))
    .addOption(delimiterOption())
    .option('--all-requests', 'of a log: count robots, files that pages load and failed requests too')
    .addOption(numberOption('--max-itemsets <n>', 'the most sets of items', 1_000, 20_000_000).default(1_000_000))
    .addOption(numberOption('--max-memory <MiB>', 'the most memory for what is read', 16, 65_536).default(512))
    .option('--live', 'instead of a file: pairs that the service counts (livePairs in its configuration)')
    .addOption(
      numberOption('--weeks <n>', 'of live counts: how many weeks, this one included', 1, PAIR_WEEKS).default(4),
    )
    .option('--json', 'print one JSON object')
    .option('--out <file>', 'write the listed rules to this file of drafts; drafts that stand there stay')
    .addHelpText(
      'after',
      '\nIn a log each visitor is a basket: the pages that one address with one browser saw.\n' +
        'Drafts do nothing until they are approved: sessionwise rules approve NAME.',
    );
  addNamespaceOptions(command).action((file: string | undefined, flags: DiscoverFlags) => runDiscover(file, flags));
}

async function runDiscover(file: string | undefined, flags: DiscoverFlags): Promise<void> {
  if ((file === undefined) !== (flags.live === true)) throw new UsageError('Give a file, or --live, and not both.');
  const { found, words, said, json, from } = file === undefined ? await ofLiveCounts(flags) : await ofFile(file, flags);
  const written = flags.out === undefined ? undefined : await writeDrafts(flags.out, found, from);
  if (flags.json) {
    print(JSON.stringify({ ...json, ...found, ...written }));
    return;
  }
  for (const line of [...said, ...describeDiscovery(found, words, flags)]) print(line);
  if (written) printWritten(flags.out!, written);
}

interface Discovered {
  readonly found: Discovery;
  readonly words: DataWords;
  /** What was read, as lines and as JSON. */
  readonly said: readonly string[];
  readonly json: object;
  /** Names the data in drafts. */
  readonly from: string;
}

async function ofFile(file: string, flags: DiscoverFlags): Promise<Discovered> {
  const budget = new MemoryBudget(flags.maxMemory * MIB);
  const { delimiter, allRequests = false, redundant = false } = flags;
  const read = await readBaskets(file, { format: flags.format, delimiter, allRequests }, budget);
  if (read.store.baskets === 0) throw nothingRead(read);
  const found = discover(read.store, { ...flags, redundant }, budget);
  const { name, format, skippedLines, otherRequests, unusableItems } = read;
  return {
    found,
    words: format === 'log' ? VISITORS : BASKETS,
    said: describeFile(read),
    json: { file: name, format, skippedLines, otherRequests, unusableItems },
    from: basename(name),
  };
}

async function ofLiveCounts(flags: DiscoverFlags): Promise<Discovered> {
  const { livePairs } = resolveNamespace(flags);
  if (!livePairs) {
    throw new UsageError(
      'No names are registered: give the --config of the service, with {"livePairs":{"names":[...]}}.',
    );
  }
  const names = checkPairNames(livePairs.names);
  const totals = await withNamespace(flags, ({ redis, keys, knowledge }) =>
    new PairCounts(redis, keys, pairNamesOf(knowledge.items, names), knowledge.now).read(flags.weeks),
  );
  if (totals.subjects < LEAST_SUBJECTS) {
    throw new DiscoverError(
      'NO_BASKETS',
      `Fewer than ${LEAST_SUBJECTS} subjects were counted so far: nothing is told of so few. Does the service run with livePairs?`,
    );
  }
  const weeks = flags.weeks === 1 ? 'this week' : `the last ${flags.weeks} weeks`;
  return {
    found: discoverPairs({ names, ...totals }, flags),
    words: SUBJECTS,
    said: [`Live counts of ${weeks}: ${totals.subjects.toLocaleString('en-US')} subjects, ${names.length} names.`],
    json: { live: true, weeks: flags.weeks },
    from: 'live counts',
  };
}

function nothingRead({ name, format, skippedLines, otherRequests }: BasketFile): DiscoverError {
  const skipped = skippedLines > 0 ? ` ${skippedLines} lines could not be read as ${format} (--format).` : '';
  const others =
    otherRequests > 0 ? ` Its ${otherRequests} requests are no views of pages by persons (--all-requests).` : '';
  return new DiscoverError(
    'NO_BASKETS',
    `${name} holds no ${format === 'log' ? 'views' : 'baskets'}.${skipped}${others}`,
  );
}

interface WrittenDrafts {
  readonly drafts: number;
  readonly newDrafts: number;
  readonly decidedBefore: number;
}

function writeDrafts(path: string, { candidates, baskets }: Discovery, from: string): Promise<WrittenDrafts> {
  return withJsonFiles([path], ([file]) => {
    const before = checkDraftsFile(file!.value, path);
    const taken = new Set([...before.drafts, ...before.decided].map(({ name }) => name));
    const found = draftsOf(candidates, { baskets, from, at: Date.now() }, taken);
    const { file: after, added, decidedBefore } = addDrafts(before, found);
    file!.write(after);
    return { drafts: after.drafts.length, newDrafts: added, decidedBefore };
  });
}

function printWritten(path: string, { drafts, newDrafts, decidedBefore }: WrittenDrafts): void {
  const before = decidedBefore === 0 ? '' : ` ${decidedBefore} were approved or rejected before and are left out.`;
  print('');
  print(`${path} holds ${drafts} ${drafts === 1 ? 'draft' : 'drafts'}, ${newDrafts} of them new.${before}`);
  print(`Read them with: sessionwise rules drafts --drafts ${path}`);
}

function supportOption(): Option {
  return new Option(
    '--support <share>',
    'in what share of the baskets (0.006 or 0.6%), or in how many of them (60), all of a rule must be; default 1%, and at least 5',
  )
    .default(DEFAULT_SUPPORT, '1%')
    .argParser((text): Support => {
      const share = readShare(text);
      if (/^\d+$/.test(text) && Number(text) >= 2 && Number(text) <= 1_000_000_000) return { count: Number(text) };
      if (share !== undefined && share > 0 && share < 1) return { share };
      throw new UsageError(
        `--support is "${text}": give a share above 0 and below 1, as 0.006 or 0.6%, or a number of baskets from 2 on.`,
      );
    });
}

function liftOption(): Option {
  return new Option('--lift <n>', 'how many times as likely as without the rule the suggested item must be')
    .default(1)
    .argParser((text) => {
      if (/^(\d+(\.\d+)?|\.\d+)$/.test(text)) return Number(text);
      throw new UsageError(`--lift is "${text}": give a number from 0 on, as 1.5.`);
    });
}

function delimiterOption(): Option {
  return new Option('--delimiter <character>', 'what stands between the items of a line of CSV; "tab" for a tab')
    .default(',')
    .argParser((text) => {
      const delimiter = text === 'tab' ? '\t' : text;
      if (delimiter.length === 1 && !/["\s]/.test(delimiter.replace('\t', ';'))) return delimiter;
      throw new UsageError(`--delimiter is "${text}": give one character that is no quotation mark, or "tab".`);
    });
}
