import type { RedisConnection } from '../redis/index.ts';
import { type Finding, good, note, problem } from './finding.ts';

/* judge-server.ts: checks the settings of one server. */

/** Replies of CONFIG GET; undefined for settings that it does not return (managed servers). */
type Settings = Readonly<Record<string, string | undefined>>;

const SETTINGS = [
  'appendonly',
  'appendfsync',
  'save',
  'maxmemory',
  'maxmemory-policy',
  'bind',
  'protected-mode',
  'port',
  'tls-port',
];

/** Judges a server's settings. */
export async function judgeSettings(redis: RedisConnection): Promise<Finding[]> {
  const settings = await readSettings(redis);
  return [...judgePersistence(settings), ...judgeEviction(settings), await judgeExposure(redis, settings)];
}

async function readSettings(redis: RedisConnection): Promise<Settings> {
  const settings: Record<string, string | undefined> = {};
  await Promise.all(
    SETTINGS.map(async (name) => {
      const reply = await redis
        .command<Record<string, string>>('CONFIG', 'GET', name)
        .catch(() => ({}) as Record<string, string>);
      settings[name] = reply[name];
    }),
  );
  return settings;
}

/** Judges how much data a crash would lose. */
export function judgePersistence(settings: Settings): Finding[] {
  const { appendonly, appendfsync, save } = settings;
  if (appendonly === undefined) return [note('persistence', 'CONFIG may not be read here: make sure that AOF is on.')];
  if (appendonly !== 'yes') {
    const snapshots = save
      ? `Only snapshots (save ${save}): a crash loses what came since.`
      : 'Nothing is kept: a restart loses everything.';
    return [problem('persistence', `${snapshots} Set appendonly yes, and save 60 1 beside it.`)];
  }
  const aof =
    appendfsync === 'no'
      ? problem(
          'persistence',
          'AOF is on but appendfsync is "no": a power loss loses what the system has not written. Set everysec.',
        )
      : good(
          'persistence',
          `AOF ${appendfsync}: a power loss loses at most ${appendfsync === 'always' ? 'nothing' : '2 seconds'}.`,
        );
  return save ? [aof] : [aof, note('snapshots', 'No snapshots beside the AOF: save 60 1 gives a second net.')];
}

/** Judges whether Redis would evict sessions when memory runs out. */
export function judgeEviction(settings: Settings): Finding[] {
  const { maxmemory, 'maxmemory-policy': policy } = settings;
  if (policy === undefined)
    return [note('eviction', 'CONFIG may not be read here: make sure that maxmemory-policy is noeviction.')];
  if (policy !== 'noeviction') {
    return [
      problem('eviction', `maxmemory-policy is ${policy}: under pressure sessions vanish unasked. Set noeviction.`),
    ];
  }
  return maxmemory === '0'
    ? [note('eviction', 'noeviction, but no maxmemory: Redis can grow until the machine is full. Set maxmemory.')]
    : [good('eviction', `noeviction, at most ${maxmemory} bytes.`)];
}

async function judgeExposure(redis: RedisConnection, settings: Settings): Promise<Finding> {
  const user = await redis.command<{ flags?: string[] }>('ACL', 'GETUSER', 'default').catch(() => undefined);
  if (!user || settings.bind === undefined)
    return note('access', 'ACL or CONFIG may not be read here: make sure that a password is needed.');
  const open = user.flags?.includes('nopass') === true && !user.flags.includes('off');
  if (!open) return good('access', 'A login is needed.');
  const listens = Number(settings.port) > 0 || Number(settings['tls-port']) > 0;
  const everywhere = settings.bind.split(/\s+/).some((address) => !/^-?(127\.|::1$|localhost$)/.test(address));
  if (!listens) return good('access', 'No login, and reachable through its Unix socket only.');
  if (!everywhere) return good('access', 'No login, and reachable from this machine only.');
  return settings['protected-mode'] === 'yes'
    ? note('access', 'No login; only protected-mode keeps others out. Set a password (requirepass or ACL).')
    : problem(
        'access',
        `No login: every program that reaches ${settings.bind || 'any of its addresses'} can read and change everything. Set a password (requirepass or ACL).`,
      );
}

/** Judges whether the server's clock agrees with this machine's. */
export async function judgeClock(redis: RedisConnection): Promise<Finding> {
  const [seconds, microseconds] = await redis.command<[string, string]>('TIME');
  const offsetMs = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - Date.now());
  return Math.abs(offsetMs) < 2_000
    ? good('clock', 'Agrees with this machine.')
    : note(
        'clock',
        `${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'ahead of' : 'behind'} this machine. Sessions go by Redis's clock.`,
      );
}

/** Judges how long a round trip takes. */
export async function judgeLatency(redis: RedisConnection): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < 50; i += 1) {
    const sent = performance.now();
    await redis.command('PING');
    times.push(performance.now() - sent);
  }
  const median = times.sort((a, b) => a - b)[25]!;
  const text = `A PING takes ${median.toFixed(2)} ms (median of 50).`;
  return median < 5
    ? good('latency', text)
    : note('latency', `${text} A request to the service takes about four of them.`);
}
