// One subject in a process of its own: its stores, a page that uses them, and a process of visitors.
// Arguments: the subject's name, Redis's URL, how many sessions there are.
import { createConnection } from '../dist/redis/index.js';
import { serveBenchProcess, startBenchProcess } from './bench-process.js';
import { measureWindow } from './bench-window.js';
import { STORE_OPERATIONS } from './store-operations.js';
import { servePage } from './store-page.js';
import { loadSessions, openSubject, seedSessions } from './store-stage.js';

const [name, url, sessions] = process.argv.slice(2);
const redis = await createConnection(url).connect();
const opened = await openSubject(name, url);
const { usual, eager } = opened;
const tokens = await seedSessions(usual, Number(sessions));
const eagerTokens = eager === usual ? tokens : await seedSessions(eager, Number(sessions));
const stage = { redis, usual, eager, tokens, eagerTokens };
const page = await servePage(usual);
const visitors = await startBenchProcess(new URL('./store-visitors.js', import.meta.url));
await visitors.ask('know', { tokens });

const operations = Object.entries(STORE_OPERATIONS).map(([operation, work]) => [
  operation,
  (load) => work(stage, load),
]);
serveBenchProcess(
  {
    ...Object.fromEntries(operations),
    read: (load) => request('/read', load),
    async write(load) {
      const before = await countViews();
      const figures = await request('/write', load);
      const counted = (await countViews()) - before;
      if (counted !== load.count) throw new Error(`${load.count} views, ${counted} counted.`);
      return figures;
    },
    async sessionBytes() {
      const [session] = await loadSessions(usual, tokens.slice(0, 1));
      return Buffer.byteLength(JSON.stringify(session));
    },
  },
  async () => {
    await visitors.stop();
    page.close();
    await opened.close();
    await redis.close();
  },
);

function request(path, load) {
  return measureWindow(redis, () => visitors.ask('visit', { port: page.port, path, ...load }));
}

async function countViews() {
  const all = await loadSessions(usual, tokens);
  return all.reduce((sum, { views }) => sum + views, 0);
}
