import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts a file (its URL) in a process of its own. `ask(name, given)` calls its function of that name, one call
 *  at a time; `stop()` resolves when it has ended. */
export function startBenchProcess(file, ...args) {
  return startBenchProcessWith([], file, ...args);
}

/** The same, with flags of Node. */
export async function startBenchProcessWith(flags, file, ...args) {
  const execArgv = [...process.execArgv, ...flags];
  const child = fork(file, args, { execArgv, env: { ...process.env, NODE_ENV: 'production' } });
  const exited = once(child, 'exit');
  const answer = async () => {
    const [{ error, result }] = await Promise.race([
      once(child, 'message'),
      exited.then(([code, signal]) => [{ error: `${file.pathname} ended (${signal ?? code}).` }]),
    ]);
    if (error) throw new Error(error);
    return result;
  };
  await answer();
  return {
    ask(name, given = {}) {
      const answered = answer();
      child.send({ name, given });
      return answered;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The other side: answers with `functions`, and calls `close` when nobody asks any more. */
export function serveBenchProcess(functions, close = () => undefined) {
  process.on('message', async ({ name, given }) => {
    try {
      process.send({ result: await functions[name](given) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', async () => {
    await close();
    process.exit();
  });
  process.send({ result: 'ready' });
}
