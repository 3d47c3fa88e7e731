// One role of one side in a process of its own. Arguments: `ours` or `bare`, Redis's URL.
import { createConnection } from '../dist/redis/index.js';
import { serveBenchProcess } from './bench-process.js';
import { measureWindow, runLanes } from './bench-window.js';
import { openClient as openBareClient, openService as openBareService } from './wire-bare.js';
import { openClient as openOurClient, openService as openOurService } from './wire-ours.js';

const [side, url] = process.argv.slice(2);
const openService = side === 'ours' ? openOurService : openBareService;
const openClient = side === 'ours' ? openOurClient : openBareClient;
const redis = await createConnection(url).connect();
let opened;
let asked = 0;

const ask = ({ count, inFlight }) => runLanes({ count, inFlight, once: () => opened.once(asked++) });

serveBenchProcess(
  {
    async serve({ way }) {
      opened = await openService(url, way);
    },
    async open({ way, inFlight }) {
      opened = await openClient(url, way, inFlight);
      asked = 0;
    },
    ask,
    measure: (load) => measureWindow(redis, () => ask(load)),
    /** Microseconds of CPU of this process so far. */
    cpu() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    close: () => opened.close(),
  },
  () => redis.close(),
);
