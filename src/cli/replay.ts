import type { Command } from 'commander';
import { checkNamespace } from '../protocol/index.ts';
import { type Config, checkConfig, readConfig } from './config/index.ts';
import { addNamespaceOptions, type NamespaceFlags, resolveNamespace } from './namespace-options.ts';
import { numberOption } from './number-option.ts';
import { printable } from './printable.ts';
import { formatReport } from './replay/format-report.ts';
import { type OwnStore, startOwnStore } from './replay/own-store.ts';
import { ProgressBar } from './replay/progress-bar.ts';
import { type Log, openLog } from './replay/read-log.ts';
import { type ReplayOutcome, replay } from './replay/replay.ts';
import { ReplayError } from './replay/replay-error.ts';
import { type Demands, failuresOf } from './replay/verdict.ts';
import { UsageError } from './usage-error.ts';

interface ReplayFlags extends NamespaceFlags {
  readonly verify?: boolean;
  readonly json?: boolean;
  readonly concurrency: number;
  readonly exactLimit?: number;
  readonly deadline: number;
  readonly maxBytes?: number;
}

const SERVICE_START_MS = 15_000;

/** Adds `sessionwise replay`. */
export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('send an access log through client, Redis and service, and report the resulting data')
    .argument('<file>', 'an Apache or nginx access log (common or combined), plain or gzip; - for standard input')
    .option('--verify', 'count exactly beside it and compare; exit code 1 where a promise is broken')
    .option('--json', 'print one JSON object instead of the report')
    .addOption(numberOption('--concurrency <n>', 'requests in flight', 1, 10_000).default(32))
    .addOption(numberOption('--exact-limit <n>', 'how many pages the service that it starts keeps exactly', 0, 512))
    .addOption(numberOption('--deadline <ms>', 'how long a view may wait for its answer', 1, 60_000).default(2_000))
    .addOption(
      numberOption(
        '--max-bytes <n>',
        '--verify: the most bytes of Redis a visitor may take on average; default 1024, no limit with --exact-limit 0',
        1,
        1_000_000,
      ),
    )
    .addHelpText(
      'after',
      '\nMemory is judged from 1,000 visitors up.\n' +
        'Without --redis, --connection or "redis" in the configuration it starts a Redis and a service of its own and\n' +
        'removes them again; with one of them, a service must run there with --accept-times. REDIS_URL is not read.',
    );
  addNamespaceOptions(command, false).action((file: string, flags: ReplayFlags) => runReplay(file, flags));
}

async function runReplay(file: string, flags: ReplayFlags): Promise<void> {
  const config = flags.config === undefined ? checkConfig({}) : readConfig(flags.config);
  const isOwn = flags.redis === undefined && flags.connection === undefined && config.redis === undefined;
  if (!isOwn && flags.exactLimit !== undefined) {
    throw new UsageError('--exact-limit is for the service that the replay starts itself: leave it or --redis out.');
  }
  const namespace = namespaceOf(flags, config);
  const exactLimit = flags.exactLimit ?? config.exactLimit;
  const ending = new EndingSignal();
  const { signal } = ending;
  let log: Log | undefined;
  let store: OwnStore | undefined;
  let outcome: ReplayOutcome;
  const bar = new ProgressBar(flags.json ? { write: () => undefined } : process.stderr, () => log?.progress());
  try {
    // Ignores the environment: a REDIS_URL of the shell must not lead a log into the store of a live site.
    const redis = isOwn ? undefined : resolveNamespace(flags, {}).redis;
    log = await openLog(file, { signal });
    if (isOwn) {
      bar.show('Starting a Redis and a service ...');
      store = await startOwnStore({ namespace, config: { ...config, exactLimit }, onFailure: ending.end });
    }
    const { bounceMinutes } = config.retention ?? {};
    outcome = await replay({
      log,
      redis: redis ?? store!.url,
      namespace,
      verify: flags.verify === true,
      concurrency: flags.concurrency,
      deadlineMs: flags.deadline,
      waitMs: isOwn ? SERVICE_START_MS : 0,
      ...(bounceMinutes !== undefined && { bounceMs: bounceMinutes * 60_000 }),
      signal,
      onPhase: (phase) => bar.show(`${phase[0]!.toUpperCase()}${phase.slice(1)} ...`),
      onSent: (requests) => bar.update(requests),
    });
  } catch (error) {
    // Reports the end of our own service or Redis first: `error` is only a consequence of it.
    signal.throwIfAborted();
    throw error;
  } finally {
    bar.clear();
    log?.close();
    await store?.stop();
    ending.release();
  }
  print(log.name, outcome, flags, { mustFilter: isOwn && exactLimit === 0, maxBytes: flags.maxBytes });
}

/** Ends a replay on a signal or a failure. `release` sends a received signal to this process again, without our
 *  listener, so that its exit status is that of the signal. */
class EndingSignal {
  readonly #ending = new AbortController();
  readonly signal: AbortSignal = this.#ending.signal;
  readonly end = (error: ReplayError): void => this.#ending.abort(error);
  readonly #listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const error = new ReplayError('INTERRUPTED', `The replay was stopped by ${name}.`);
    const listener = (): void => this.end(error);
    process.once(name, listener); // a second signal ends this process, and with it the processes that it started
    return { name, listener, error };
  });

  release(): void {
    for (const { name, listener } of this.#listeners) process.off(name, listener);
    const received = this.#listeners.find(({ error }) => this.signal.reason === error);
    if (received) process.kill(process.pid, received.name);
  }
}

function print(name: string, { report, findings }: ReplayOutcome, flags: ReplayFlags, demands: Demands): void {
  const failures = flags.verify ? failuresOf(report, findings, demands) : undefined;
  process.stdout.write(
    printable(flags.json ? `${JSON.stringify(report)}\n` : `${formatReport(name, report, findings, failures)}`),
  );
  if (!failures || failures.length === 0) return;
  throw new ReplayError('NOT_VERIFIED', `Not verified:\n${failures.map((failure) => `  - ${failure}`).join('\n')}`);
}

function namespaceOf(flags: ReplayFlags, config: Config): string {
  try {
    return checkNamespace(flags.namespace ?? config.namespace ?? 'sw');
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
