import type { EventEmitter } from 'node:events';
import { Consumers } from '../consumers/index.ts';
import { Keys } from '../redis/index.ts';
import { AllSessions } from './all-sessions.ts';
import { StoreConnection } from './connection/store-connection.ts';
import { SessionDataMaintenance } from './maintenance/session-data-maintenance.ts';
import { type ConnectRedis, openConnectRedis } from './mirror/connect-redis.ts';
import { FieldOperations } from './operations/field-operations.ts';
import { SessionRecords } from './operations/session-records.ts';
import { SessionRotation } from './operations/session-rotation.ts';
import { SessionSaves } from './operations/session-saves.ts';
import { type SessionDataOptions, settingsOf } from './options.ts';
import type { SessionDataEvents } from './session-data-events.ts';
import { SessionEnding } from './session-ending.ts';
import { SessionLookup } from './session-lookup.ts';
import { SessionErasure } from './subjects/session-erasure.ts';
import { SessionExport } from './subjects/session-export.ts';
import type { SubjectContext } from './subjects/subject-sessions.ts';
import { UserLogins } from './users/user-logins.ts';
import { UserSessionListing } from './users/user-session-listing.ts';
import { UserSessions } from './users/user-sessions.ts';

/** The parts of session data. They share one connection. */
export interface SessionDataParts {
  readonly connection: StoreConnection;
  readonly keys: Keys;
  /** The loops over lifecycle events. */
  readonly consumers: Consumers;
  readonly records: SessionRecords;
  readonly lookup: SessionLookup;
  readonly saves: SessionSaves;
  readonly fields: FieldOperations;
  readonly ending: SessionEnding;
  readonly listing: UserSessionListing;
  readonly logins: UserLogins;
  readonly rotation: SessionRotation;
  readonly allSessions: AllSessions;
  /** Undefined without `importFrom` and `mirrorTo`. */
  readonly connectRedis: ConnectRedis | undefined;
  readonly maintenance: SessionDataMaintenance;
  readonly erasure: SessionErasure;
  readonly export: SessionExport;
}

/** Begins to connect and makes the parts. `events` gets what happens beside the operations.
 *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
export function openSessionDataParts(
  options: SessionDataOptions,
  events: EventEmitter<SessionDataEvents>,
): SessionDataParts {
  const settings = settingsOf(options);
  const keys = new Keys(settings.namespace);
  const connection = new StoreConnection(options, keys, settings.deadlineMs);
  let records: SessionRecords;
  let users: UserSessions;
  let connectRedis: ConnectRedis | undefined;
  try {
    records = new SessionRecords(connection, keys, settings, options.encryption);
    users = new UserSessions(records);
    connectRedis = openConnectRedis(records, users, (error) => events.emit('mirror:failed', error));
  } catch (error) {
    void connection.close();
    throw error;
  }
  const context: SubjectContext = {
    redis: connection.redis,
    keys,
    step: (key, work) => connection.run(work, { key }),
    lifecycleLength: settings.lifecycleLength,
    mirrors: settings.mirrorTo !== undefined,
  };
  const listing = new UserSessionListing(connection, records, users);
  connection.on('down', (error) => events.emit('store:down', error));
  connection.on('up', () => events.emit('store:up'));
  return {
    connection,
    keys,
    consumers: new Consumers(),
    records,
    connectRedis,
    listing,
    lookup: new SessionLookup(connection, records, connectRedis),
    saves: new SessionSaves(connection, records),
    fields: new FieldOperations(records),
    ending: new SessionEnding(connection, records, users, connectRedis?.takeOver),
    logins: new UserLogins(connection, records, users, listing),
    rotation: new SessionRotation(connection, records),
    allSessions: new AllSessions(connection, records, users),
    erasure: new SessionErasure(context),
    export: new SessionExport(context, options.encryption),
    maintenance: new SessionDataMaintenance(connection.redis, settings, options, events),
  };
}
