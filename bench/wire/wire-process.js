// One role of one side in a process of its own. Arguments: `ours` or `bare`, Redis's URL.
import { serveParent } from '../support/child.js';
import { runAll, runFor, speedOf } from '../support/window.js';
import { openClient as openBareClient, openService as openBareService } from './bare.js';
import { openClient as openOurClient, openService as openOurService } from './ours.js';

const [side, url] = process.argv.slice(2);
const openService = side === 'ours' ? openOurService : openBareService;
const openClient = side === 'ours' ? openOurClient : openBareClient;
const recordings = {};
let opened;
let asked = 0;

serveParent({
  /** What a bare loop sends. */
  know({ way, recording }) {
    recordings[way] = recording;
  },
  async serve(load) {
    opened = await openService(url, { ...load, recording: recordings[load.way] });
  },
  async open(load) {
    opened = await openClient(url, { ...load, recording: recordings[load.way] });
    asked = 0;
  },
  /** Asks the first `count` requests of a kind. */
  askAll: ({ kind, count, inFlight }) => runAll({ count, inFlight, once: (i) => opened.once(i, kind) }),
  async run({ kind, ms, inFlight }) {
    const found = await runFor({ ms, inFlight, from: asked, once: (i) => opened.once(i, kind) });
    asked += found.count;
    return { ...speedOf(found), count: found.count };
  },
  close: () => opened.close(),
});
