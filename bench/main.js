// npm run bench [-- PART...] [-- --smoke] [-- --draw] [-- --add] [-- --million] [-- --rounds N] [-- --to FOLDER]
//
// Measures everything side by side in one run, writes bench/results/<date>.json, and draws docs/performance.md and the
// figures of two other documents from it.
// With parts only these are measured and printed: nothing is written, unless --add puts their rows into the newest results,
// each with its time and commit. --smoke runs everything for a moment, to see that it
// works, that each row is there and no figure is none, and that all of it can be drawn; its figures mean nothing. --draw
// only draws the newest results again; --to writes results elsewhere, and draws nothing. Machines are noisy: quote ratios of one run, never absolute figures of two.
import { parseArgs } from 'node:util';
import { benchDashboard } from './dashboard/part.js';
import { benchMemory } from './knowledge/memory-part.js';
import { benchPeople } from './knowledge/people-part.js';
import { benchLive } from './live/part.js';
import { describeMachine } from './machine.js';
import { benchNotices } from './notices/part.js';
import { benchPage } from './page/part.js';
import { DOCUMENTS, drawDocuments, drawGraphs, drawText, readDocument } from './report/document.js';
import { Figures } from './report/figures.js';
import { judge } from './report/goals.js';
import { printRows } from './report/print.js';
import { addRows, faultsOf, RESULTS_FORMAT, readNewestResults, textOf, writeResults } from './report/results.js';
import { benchRules } from './rules/part.js';
import { benchStart } from './start/part.js';
import { benchStore } from './store/part.js';
import { benchWire } from './wire/part.js';

const PARTS = {
  page: benchPage,
  wire: benchWire,
  store: benchStore,
  memory: benchMemory,
  people: benchPeople,
  notices: benchNotices,
  live: benchLive,
  rules: benchRules,
  dashboard: benchDashboard,
  start: benchStart,
};

const { values: flags, positionals: names } = readArguments();
if (flags.draw) {
  drawDocuments(readNewestResults());
} else {
  const isWhole = names.length === 0;
  const results = await measure(isWhole ? Object.keys(PARTS) : names);
  printRows(results.rows);
  const faults = faultsOf(results);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  if (isWhole) finish(results, faults);
  else if (flags.add && faults.length === 0) add(results);
  console.log(
    `\n${results.minutes.toFixed(1)} minutes${flags.smoke ? '; a smoke run, whose figures mean nothing' : ''}.`,
  );
}

function readArguments() {
  try {
    const options = {
      smoke: { type: 'boolean', default: false },
      draw: { type: 'boolean', default: false },
      add: { type: 'boolean', default: false },
      million: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      to: { type: 'string' },
    };
    const read = parseArgs({ options, allowPositionals: true });
    const unknown = read.positionals.find((name) => !(name in PARTS));
    if (unknown) throw new Error(`There is no part "${unknown}": give ${Object.keys(PARTS).join(', ')}.`);
    return read;
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

async function measure(parts) {
  const rounds = Number(flags.rounds ?? (flags.smoke ? 1 : 5));
  const started = new Date();
  const described = await describeMachine();
  const rows = [];
  for (const name of parts) {
    const from = performance.now();
    rows.push(...(await PARTS[name]({ rounds, smoke: flags.smoke, isMillion: flags.million })));
    console.log(`${name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
  }
  const minutes = (Date.now() - started.getTime()) / 60_000;
  return { format: RESULTS_FORMAT, startedAt: started.toISOString(), minutes, rounds, ...described, rows };
}

// Rows of parts that were measured by themselves take the place of those of the same id.
function add({ rows, startedAt, machine: { commit } }) {
  const kept = addRows(readNewestResults(), rows, { startedAt, commit });
  drawDocuments(JSON.parse(textOf(kept)));
  console.log(`Added to: ${writeResults(kept)}`);
}

// What is kept is drawn as it is read again.
function finish(results, faults) {
  const goals = judge(new Figures(results));
  const kept = JSON.parse(textOf({ ...results, goals }));
  console.table(goals.map(({ figure, goal, value, isMet }) => ({ figure: figure.slice(0, 70), goal, value, isMet })));
  // Throws where a mark or a graph asks for what is not there.
  for (const name of DOCUMENTS) drawText(readDocument(name), kept);
  drawGraphs(kept);
  const isKept = !flags.smoke && faults.length === 0;
  if (flags.to || isKept) console.log(`Written: ${writeResults(kept, flags.to)}`);
  if (flags.smoke) return;
  if (isKept && !flags.to) drawDocuments(kept);
  if (goals.some(({ isMet }) => isMet === false)) process.exitCode = 1;
}
