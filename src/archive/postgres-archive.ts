import type { ArchivedSession } from '../sessions/index.ts';
import type { ErasableArchive, Subject } from '../sessions/maintenance/index.ts';
import { ArchiveDriverMissingError } from './archive-driver-missing-error.ts';
import { ArchiveTableError } from './archive-table-error.ts';
import { eraseRows, exportRows, type Query } from './archived-rows.ts';
import { escapeJson, isRefused } from './postgres-text.ts';

/* One INSERT a session, and no transaction of several: a session that the database refuses must not take others with it. */

/** The part of a pool of the package `pg` that is used. */
export interface PostgresPool {
  /** Runs a statement with its values. */
  query(text: string, values: unknown[]): Promise<unknown>;
}

/** Where archived sessions go: a database, or a pool that there is already. */
export type PostgresArchiveOptions = (
  | {
      /** `postgres://user:password@host:port/database`, or anything else that the package `pg` reads as an address. */
      readonly connectionString: string;
      readonly pool?: undefined;
    }
  | {
      /** It is used as it is, with its own deadlines, and stays open. It must have a listener for `error`. */
      readonly pool: PostgresPool;
      readonly connectionString?: undefined;
    }
) & {
  /** Default `archived_sessions`. */
  readonly table?: string | undefined;
  /** Default: the first of the connection's `search_path`. */
  readonly schema?: string | undefined;
};

/** An archive in PostgreSQL. `erase` needs the right to DELETE. */
export interface PostgresArchive extends ErasableArchive {
  /** Writes a session, or writes it again. */
  (ended: ArchivedSession): Promise<void>;
  /** Sees whether the table can be written to.
   *  @throws ArchiveDriverMissingError, ArchiveTableError, or what PostgreSQL says. */
  check(): Promise<void>;
  /** Closes the connections that were made. A pool that was given stays open. */
  close(): Promise<void>;
}

const CONNECTIONS = 4;
const CONNECT_DEADLINE_MS = 3_000;
const STATEMENT_DEADLINE_MS = 5_000;
// A server that has frozen ends no statement.
const ANSWER_DEADLINE_MS = 6_000;

const COLUMNS =
  'namespace, session, created_at, user_id, device, reason, last_seen_at, ended_at, data, activity, escaped';
const CHANGING = COLUMNS.split(', ').slice(3);
// Undefined table, undefined column, no constraint that matches ON CONFLICT.
const TABLE_FAULTS = ['42P01', '42703', '42P10'];

/** An archive function that writes to the table of migrations/postgres/001-archived-sessions.sql, with the package `pg`
 *  (8 or newer), which is loaded at the first use. The same session may come any number of times: it is one row.
 *  @throws RangeError for a name or an address that cannot be used. */
export function postgresArchive(options: PostgresArchiveOptions): PostgresArchive {
  const table = [options.schema, options.table ?? 'archived_sessions'].filter((name) => name !== undefined);
  const quoted = table.map(quoteName).join('.');
  const values = COLUMNS.split(', ').map((_, i) => `$${i + 1}`);
  const insert = `INSERT INTO ${quoted} (${COLUMNS}) VALUES (${values.join(', ')})
    ON CONFLICT (namespace, session, created_at) DO UPDATE SET archived_at = now(),
    ${CHANGING.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  if (!options.pool && (typeof options.connectionString !== 'string' || options.connectionString === '')) {
    throw new RangeError('A PostgreSQL archive needs connectionString or pool: give postgres://user@host/database.');
  }

  let opened: Promise<PostgresPool & { end(): Promise<void> }> | undefined;
  const query: Query = async (text, parameters) => {
    const { connectionString } = options;
    if (connectionString !== undefined && !opened) {
      opened = openPool(connectionString);
      opened.catch(() => {
        opened = undefined;
      });
    }
    const pool = options.pool ?? (await opened!);
    try {
      const result = (await pool.query(text, parameters)) as { readonly rows?: Readonly<Record<string, unknown>>[] };
      return result.rows ?? [];
    } catch (error) {
      const isTableFault = error instanceof Error && 'code' in error && TABLE_FAULTS.includes(String(error.code));
      throw isTableFault ? new ArchiveTableError(table.join('.'), error) : error;
    }
  };
  const archive = async (ended: ArchivedSession): Promise<void> => void (await query(insert, rowOf(ended)));
  const check = async (): Promise<void> =>
    void (await query(`SELECT ${COLUMNS}, archived_at FROM ${quoted} LIMIT 0`, []));
  return Object.assign(archive, {
    check,
    erase: (namespace: string, subject: Subject) => eraseRows(query, quoted, namespace, subject),
    export: (namespace: string, subject: Subject) => exportRows(query, quoted, namespace, subject),
    close: async (): Promise<void> => {
      const closing = opened;
      opened = undefined;
      await (await closing?.catch(() => undefined))?.end();
    },
  });
}

function rowOf(ended: ArchivedSession): unknown[] {
  const { namespace, session, userId, device, reason, createdAt, lastSeenAt, endedAt, data, activity } = ended;
  const free = JSON.stringify([userId ?? null, device ?? null, data]);
  const escaped = isRefused(free);
  const [user, label, fields] = JSON.parse(escaped ? escapeJson(free) : free) as [string | null, string | null, object];
  const [created, seen, end] = [createdAt, lastSeenAt, endedAt].map((time) => new Date(time).toISOString());
  return [
    namespace,
    session,
    created,
    user,
    label,
    reason,
    seen,
    end,
    JSON.stringify(fields),
    activity && JSON.stringify(activity),
    escaped,
  ];
}

async function openPool(connectionString: string): Promise<PostgresPool & { end(): Promise<void> }> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    throw new ArchiveDriverMissingError(error);
  });
  const pool = new pg.Pool({
    connectionString,
    application_name: 'sessionwise-archive',
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
    statement_timeout: STATEMENT_DEADLINE_MS,
    query_timeout: ANSWER_DEADLINE_MS,
    // Idle connections do not keep the process alive.
    allowExitOnIdle: true,
  });
  // Ignores errors of idle connections: the next query takes another one.
  pool.on('error', () => undefined);
  return pool;
}

function quoteName(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return `"${name}"`;
  throw new RangeError(
    `The name ${JSON.stringify(name)} cannot be used for the archive: give a-z, 0-9 and _, at most 63, and no digit first.`,
  );
}
