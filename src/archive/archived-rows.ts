import type { ArchivedRow, Subject } from '../sessions/maintenance/index.ts';
import { escapeJson, isRefused, unescapeText } from './postgres-text.ts';

/** Sends one statement; returns its rows. */
export type Query = (text: string, values: unknown[]) => Promise<Readonly<Record<string, unknown>>[]>;

// A step: a statement has a deadline of five seconds.
const ROWS_AT_ONCE = 500;

/** Deletes the rows of a subject, in steps. Returns the session of each row. `table`: quoted. */
export async function eraseRows(query: Query, table: string, namespace: string, subject: Subject): Promise<string[]> {
  const { where, values } = conditionOf(namespace, subject);
  const erase = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${where} LIMIT ${ROWS_AT_ONCE}))
    RETURNING session`;
  const sessions: string[] = [];
  for (;;) {
    const rows = await query(erase, values);
    sessions.push(...rows.map(({ session }) => String(session)));
    // Rows that others changed meanwhile are skipped: so it ends when none is found, and not with a short step.
    if (rows.length === 0) return sessions;
  }
}

/** Reads the rows of a subject, the oldest first, as they were archived. `table`: quoted. */
export async function exportRows(
  query: Query,
  table: string,
  namespace: string,
  subject: Subject,
): Promise<ArchivedRow[]> {
  const { where, values } = conditionOf(namespace, subject);
  const read: ArchivedRow[] = [];
  for (;;) {
    const rows = await query(
      `SELECT * FROM ${table} WHERE ${where} ORDER BY created_at, session LIMIT ${ROWS_AT_ONCE} OFFSET ${read.length}`,
      values,
    );
    read.push(...rows.map(asArchived));
    if (rows.length < ROWS_AT_ONCE) return read;
  }
}

function conditionOf(namespace: string, { session, user }: Subject): { where: string; values: unknown[] } {
  if (session !== undefined) return { where: 'namespace = $1 AND session = $2', values: [namespace, session] };
  // A row is escaped as a whole, so a plain user id may stand in either form.
  const json = JSON.stringify(user);
  const escaped = JSON.parse(escapeJson(json)) as string;
  if (isRefused(json)) return { where: 'namespace = $1 AND user_id = $2 AND escaped', values: [namespace, escaped] };
  return {
    where: 'namespace = $1 AND user_id IN ($2, $3) AND user_id = CASE WHEN escaped THEN $3 ELSE $2 END',
    values: [namespace, user, escaped],
  };
}

function asArchived({ escaped, ...row }: Readonly<Record<string, unknown>>): ArchivedRow {
  return escaped === true ? Object.fromEntries(Object.entries(row).map(([name, of]) => [name, plain(of)])) : row;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return unescapeText(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [unescapeText(name), plain(of)]));
}
