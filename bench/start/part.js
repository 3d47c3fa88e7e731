// How long a process takes to be there: the service until it serves, and what an application imports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rowOf } from '../report/rows.js';
import { withRedis } from '../support/redis.js';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const IMPORTER = fileURLToPath(new URL('./importer.js', import.meta.url));
const IMPORTED = ['sessionwise', 'sessionwise/express', 'sessionwise/fastify', 'redis'];

/** The rows of this part. */
export async function benchStart({ rounds }) {
  const starts = [];
  const imports = [];
  for (let round = 0; round < rounds; round += 1) {
    starts.push({ ours: { ms: await withRedis(({ url }) => startMs(url)) } });
    const figures = {};
    for (const name of IMPORTED) {
      const { ms } = await runImporter('time', name);
      const { modules } = await runImporter('count', name);
      figures[name] = { ms, modules };
    }
    imports.push(figures);
  }
  return [
    rowOf({
      id: 'start/service',
      title: '`sessionwise serve`, from its start until it says that it serves',
      load: 'a new namespace of an empty Redis',
      rounds: starts,
    }),
    rowOf({ id: 'start/import', title: 'an import, by name', load: 'each in a process of its own', rounds: imports }),
  ];
}

async function startMs(url) {
  const started = performance.now();
  const env = { ...process.env, SESSIONWISE_SECRET: 'the secret of the benchmark' };
  const child = spawn(process.execPath, [CLI, 'serve', '--redis', url], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('Serving.')) return performance.now() - started;
    }
    throw new Error('sessionwise serve ended before it served.');
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function runImporter(mode, name) {
  const child = spawn(process.execPath, [IMPORTER, mode, name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const [told] = await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`The import of ${name} ended with code ${code}.`))),
  ]);
  await exited;
  return told;
}
