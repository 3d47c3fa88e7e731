// npm run bench [-- NAME...] [-- --smoke]
//
// Each bench starts its own servers, measures side by side in one run, and prints a table. These machines are noisy:
// quote ratios of one run, never absolute figures of two. A bench that has limits prints whether they are met, and the
// exit code is 1 where one is not. --smoke runs every bench for a moment, to see that it works, and judges nothing.
import { benchFilter } from './filter.js';
import { benchStep } from './step.js';
import { benchStore } from './store.js';
import { benchWire } from './wire.js';

const BENCHES = { step: benchStep, filter: benchFilter, wire: benchWire, store: benchStore };

const names = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const unknown = names.find((name) => !(name in BENCHES));
if (unknown) {
  console.error(`There is no bench "${unknown}": give ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}
const smoke = process.argv.includes('--smoke');
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n# ${name}${smoke ? ' (smoke: the figures mean nothing)' : ''}`);
  console.table(await bench({ smoke }));
}
