import type { Command } from 'commander';
import { pino } from 'pino';
import type { PostgresArchive } from '../archive/index.ts';
import { type Log, type Service, startService } from '../service/index.ts';
import { REMOTE_TRANSPORT_NAMES, type RemoteTransportName } from '../transport/index.ts';
import { archiveOf, sessionKeysOf } from './config/config.ts';
import { checkConfig, parseHttpAddress, readConfig, rulesOf } from './config/index.ts';
import { FollowedRules } from './followed-rules.ts';
import { addNamespaceOptions, type NamespaceFlags, resolveNamespace } from './namespace-options.ts';
import { printableFields } from './printable.ts';
import { terminalLine } from './terminal-line.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

interface ServeFlags extends NamespaceFlags {
  readonly transport?: string;
  readonly sessionglob?: string;
  readonly http?: string;
  readonly acceptTimes?: boolean;
  readonly logLevel: string;
}

/** Adds `sessionwise serve`: runs one instance of the service until a signal stops it. */
export function addServeCommand(program: Command): void {
  addNamespaceOptions(program.command('serve').description('run the service'))
    .option('--transport <way>', 'where requests come from: channels (default), streams or both')
    .option(
      '--sessionglob <glob>',
      'over channels: the sessions that this instance serves: "?*", "ab*" or "[a-m]*" (default: ?*)',
    )
    .option('--http <[host:]port>', 'answer /healthz, /readyz and /metrics there')
    .option('--accept-times', 'let "at" in a page view count: for replays of logs')
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
    .addHelpText(
      'after',
      '\nSESSIONWISE_SECRET holds the key for items; all instances of a namespace share it.\nSESSIONWISE_ARCHIVE_POSTGRES: where ended sessions are archived. SESSIONWISE_SESSION_KEYS: keys of encrypted sessions.\nRules are read anew when the configuration or its file of rules changes, and on SIGHUP.',
    )
    .action(async (flags: ServeFlags) => {
      if (!LOG_LEVELS.includes(flags.logLevel)) {
        throw new UsageError(`--log-level ${flags.logLevel} cannot be used: give ${LOG_LEVELS.join(', ')}.`);
      }
      const transport = checkTransport(flags.transport);
      const log = createLog(flags.logLevel);
      const options = resolveNamespace(flags);
      const config = flags.config === undefined ? checkConfig({}) : readConfig(flags.config);
      const archive = archiveOf(config, process.env);
      const keys = sessionKeysOf(process.env);
      const rules = flags.config === undefined ? undefined : new FollowedRules(flags.config, config, log);
      const service: Service = await startService({
        ...options,
        // Those that are followed, should the file change between the two reads.
        ...(flags.config !== undefined && rulesOf(config)),
        ...(keys && {
          sessions: {
            ...options.sessions,
            encryption: { keys, ...(config.sessions?.acceptPlain && { acceptPlain: true }) },
          },
        }),
        ...(archive && { archive }),
        ...(transport && { transport }),
        ...(flags.sessionglob !== undefined && { sessionglob: flags.sessionglob }),
        ...(flags.http !== undefined && { http: parseHttpAddress(flags.http) }),
        ...(flags.acceptTimes && { acceptTimes: true }),
        log,
      });
      if (archive) void checkArchive(archive, log);
      rules?.follow(service);
      process.send?.({ ready: true, instance: service.instance });
      const why = await untilStopped().why;
      log.info({ why }, 'Stopping.');
      rules?.stop();
      await service.stop();
      await archive?.close();
      // Closes the IPC channel of a parent: it would keep this process alive.
      if (process.connected) process.disconnect();
    });
}

/** Logs an unusable archive at the start, not only when the first session ends. The service runs on: ended sessions
 *  wait in Redis. */
async function checkArchive(archive: PostgresArchive, log: Log): Promise<void> {
  try {
    await archive.check();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    log.warn(
      { reason: message || code },
      'The archive cannot be written to now: sessions that end wait in Redis until it can.',
    );
  }
}

function checkTransport(given: string | undefined): RemoteTransportName | undefined {
  const transport = REMOTE_TRANSPORT_NAMES.find((known) => known === given);
  if (given === undefined || transport) return transport;
  throw new UsageError(`--transport ${given} cannot be used: give ${REMOTE_TRANSPORT_NAMES.join(', ')}.`);
}

function createLog(level: string): Log {
  const options = { level, base: null, formatters: { log: printableFields } };
  // Readable text on a terminal; else one JSON object a line, for log collectors.
  return process.stdout.isTTY
    ? pino(options, { write: (entry: string) => process.stdout.write(terminalLine(entry)) })
    : pino(options);
}
