import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* results.js: a run's file: { format, startedAt, minutes, rounds, machine, versions, rows }. */

export const RESULTS_FORMAT = 1;
export const RESULTS_FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** The newest results that are kept; undefined where there are none. */
export function readNewestResults(folder = RESULTS_FOLDER) {
  const files = listFiles(folder).filter((name) => /^\d{4}-\d\d-\d\d\.json$/.test(name));
  const newest = files.toSorted().at(-1);
  return newest && JSON.parse(readFileSync(join(folder, newest), 'utf8'));
}

/** Writes results under the day of their start; a later run of the same day replaces them. The file's path. */
export function writeResults(results, folder = RESULTS_FOLDER) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.startedAt.slice(0, 10)}.json`);
  writeFileSync(file, textOf(results));
  return file;
}

/** Results with further rows, in the place of those of the same id. `measured`: when these were measured, and of which
 *  commit. */
export function addRows(results, rows, measured) {
  const added = new Map(rows.map((row) => [row.id, { ...row, measured }]));
  const kept = results.rows.filter(({ id }) => !added.has(id));
  return { ...results, rows: [...kept, ...added.values()] };
}

// A round a line: short, and a change shows where it is.
const DEPTH = 5;

/** Results as text. */
export function textOf(value, indent = '', depth = 0) {
  const isPlain = typeof value !== 'object' || value === null || depth >= DEPTH;
  if (isPlain) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const lines = Array.isArray(value)
    ? value.map((one) => textOf(one, inner, depth + 1))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => `${JSON.stringify(name)}: ${textOf(one, inner, depth + 1)}`);
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}${depth === 0 ? '\n' : ''}`;
}

/** What is wrong with results, a sentence each: rows without figures, figures that are none, or nothing where something
 *  must be. */
export function faultsOf({ rows }) {
  const faults = [];
  for (const { id, rounds } of rows) {
    for (const [number, round] of rounds.entries()) {
      for (const [side, { commands = {}, ...figures }] of Object.entries(round)) {
        const where = `${id}, round ${number + 1}, ${side}`;
        if (Object.keys(figures).length === 0) faults.push(`${where}: no figures.`);
        for (const [name, value] of Object.entries({ ...figures, ...commands })) {
          const isThere = Number.isFinite(value) && (value > 0 || (value === 0 && MAY_BE_ZERO.includes(name)));
          if (!isThere) faults.push(`${where}: ${name} is ${value}.`);
        }
      }
    }
  }
  return faults;
}

// What sends nothing costs nothing of Redis: a touch within touchEveryMs. CPU clocks tick. Who only looks takes no byte.
const MAY_BE_ZERO = [
  'moreBytes',
  'moreKeys',
  'rssBytes',
  'redisUs',
  'redisBytesIn',
  'redisBytesOut',
  'redisReads',
  'siteUs',
  'clientUs',
  'serviceUs',
  'loadUs',
];

function listFiles(folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
