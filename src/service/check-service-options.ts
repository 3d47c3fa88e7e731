import { checkOptions, type OptionForms, oneOf } from '../protocol/internal/index.ts';
import { TRANSPORT_NAMES } from '../transport/index.ts';
import type { HttpAddress } from './http-server.ts';
import type { NamespaceOptions } from './open-namespace.ts';
import type { SessionEndOptions } from './session-ends.ts';
import type { ServiceOptions } from './start-service.ts';

const SERVICE: OptionForms<ServiceOptions> = {
  redis: 'string|object',
  namespace: 'string',
  secret: 'string',
  dataDir: 'string',
  seen: 'object',
  retention: 'object',
  clock: 'function',
  transport: oneOf(TRANSPORT_NAMES),
  sessionglob: 'string',
  clusters: 'any',
  suggestions: 'any',
  segments: 'any',
  livePairs: 'object',
  acceptTimes: 'boolean',
  http: 'object',
  sessions: 'object',
  archive: 'function',
  log: 'object',
  maxInFlight: 'count',
};
const SEEN: OptionForms<NonNullable<NamespaceOptions['seen']>> = {
  engine: '"auto"|"portable"|"native"',
  errorRate: 'number',
  firstCapacity: 'number',
  exactLimit: 'number',
};
const RETENTION: OptionForms<NonNullable<NamespaceOptions['retention']>> = { seconds: 'count', bounceSeconds: 'count' };
const SESSIONS: OptionForms<SessionEndOptions> = { sweep: 'boolean', lifecycleLength: 'count', encryption: 'object' };
const LIVE_PAIRS: OptionForms<NonNullable<ServiceOptions['livePairs']>> = { names: 'any' };
const HTTP: OptionForms<HttpAddress> = { host: 'string', port: 'number' };

/** Checks the options of `startService`.
 *  @throws RangeError that proposes the right name. */
export function checkServiceOptions(options: ServiceOptions): void {
  checkOptions('startService', options, SERVICE);
  const { seen, retention, sessions, http, livePairs } = options;
  if (options.redis === undefined) throw new RangeError('startService: redis is missing: give a redis:// URL.');
  for (const [name, part, forms] of [
    ['seen', seen, SEEN],
    ['retention', retention, RETENTION],
    ['sessions', sessions, SESSIONS],
    ['http', http, HTTP],
    ['livePairs', livePairs, LIVE_PAIRS],
  ] as const) {
    if (part !== undefined) checkOptions(`startService: ${name}`, part, forms);
  }
}
