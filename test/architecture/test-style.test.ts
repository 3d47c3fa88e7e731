import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* How tests are written, read off their text: what CONTRIBUTING.md asks of them. */

const ROOT = join(import.meta.dirname, '..');
const SELF = 'architecture/test-style.test.ts';
const texts = new Map(
  (readdirSync(ROOT, { recursive: true }) as string[])
    .filter((file) => /\.[jt]s$/.test(file) && file !== SELF)
    .sort()
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
);

/** Where tests start servers themselves, with the reason. */
const OWN_SERVERS: Readonly<Record<string, string>> = {
  'adapters/fastify/session-plugin.test.ts': 'one test needs a server without a service, beside the one of the file',
  'cli/demo.test.ts': 'one test of several, where the port is taken before a server is there',
  'doctor/diagnose.test.ts': 'one test of many needs a Cluster',
  'cli/redis-url.test.ts': 'needs a second server beside the one of the file',
  'cli/tools.test.ts': 'one test needs a server with settings of its own, beside the one of the file',
  'client/refused-inbox.test.ts': 'its only test has a server with users of its own',
  'client/session-client.test.ts': 'tests that kill their server, beside the service of the file',
  'faults/clock-set-back.test.ts': 'its only test runs on a clock that is set back',
  'faults/early-close.test.ts': 'each test has servers of another kind',
  'faults/late-joiner-clock.test.ts': 'its only test runs on a clock that is moved',
  'faults/notices-clock.test.ts': 'each test runs on a clock of its own',
  'faults/refused-pings.test.ts': 'each test has servers of another kind, and breaks them',
  'faults/streams-redis-restart.test.ts': 'each test has another kind of persistence, and kills its server',
  'package/tarball.test.ts': 'one test of several needs a server',
  'privacy/query-strings.test.ts': 'its only test looks through the files of its server',
  'redis/capabilities.test.ts': 'each test has a server of another kind',
  'redis/cluster/cluster-connection.test.ts': 'one test kills a master of a Cluster with other settings',
  'redis/redis-connection.test.ts': 'one test freezes a server of its own, beside the one of the file',
  'redis/embedded/embedded-redis.test.ts': 'starting servers is what it tests',
  'redis/node/tls.test.ts': 'three servers and a Cluster with certificates that are made first',
  'redis/options/borrowed-client.test.ts': 'one test needs one server, the others a Cluster',
  'service/start-stop.test.ts': 'tests that kill their server, or fill it',
  'sessions/archive/archiver.test.ts': 'one test needs a second server beside the one of the file',
  'transport/servers-under-test.ts': 'the servers are what the suites run over',
  'transport/streams-client.test.ts': 'each test has a server with settings of its own',
  'transport/streams-wire.test.ts': 'tests that kill their server, beside the service of the file',
};

function filesWith(pattern: RegExp): string[] {
  return [...texts].filter(([, text]) => pattern.test(text)).map(([file]) => file);
}

const withoutReason = (files: readonly string[], reasons: Readonly<Record<string, string>>): string[] =>
  files.filter((file) => reasons[file] === undefined);
const withoutNeed = (files: readonly string[], reasons: Readonly<Record<string, string>>): string[] =>
  Object.keys(reasons).filter((file) => !files.includes(file));

describe('the tests', () => {
  it('wait for events, or for a time that has a name', () => {
    const pauses = filesWith(/\b(?:sleep|pause)\([\d_.]+[,)]|\bsetTimeout\(resolve, [\d_]+[,)]/);
    expect(pauses).toEqual([]);
  });

  it('are written with `it`, never with `test`', () => {
    expect(filesWith(/import \{[^}]*\btest\b[^}]*\} from 'vitest'/)).toEqual([]);
  });

  it('use one Redis or one Cluster a file, or say why not', () => {
    const starting = filesWith(/\bstartTest(?:Redis|Cluster)\(/).filter((file) => !file.startsWith('support/'));
    expect(withoutReason(starting, OWN_SERVERS)).toEqual([]);
    expect(withoutNeed(starting, OWN_SERVERS), 'reasons that are no longer needed').toEqual([]);
  });
});
