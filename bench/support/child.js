import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

// Nothing that is asked takes so long; what does, hangs.
const DEADLINE_MS = 120_000;

/** Starts a file (its URL) in a process of its own, with `flags` of Node. `ask(name, given)` calls its function of that
 *  name, one call at a time; `stop()` resolves when it has ended. */
export async function startChild(file, args = [], flags = []) {
  const execArgv = [...process.execArgv, ...flags];
  const child = fork(file, args, { execArgv, env: { ...process.env, NODE_ENV: 'production' } });
  const exited = once(child, 'exit');
  const answer = async (name) => {
    const [{ error, result }] = await Promise.race([
      once(child, 'message'),
      exited.then(([code, signal]) => [{ error: `${file.pathname} ended (${signal ?? code}).` }]),
      sleep(DEADLINE_MS, [{ error: `${file.pathname} does not answer "${name}".` }], { ref: false }),
    ]);
    if (error) throw new Error(error);
    return result;
  };
  await answer('start');
  return {
    ask(name, given = {}) {
      const answered = answer(name);
      child.send({ name, given });
      return answered;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** Starts several children at once, named; stops those that started where one does not. */
export async function startChildren(starts) {
  const names = Object.keys(starts);
  const started = await Promise.allSettled(names.map((name) => starts[name]()));
  const children = Object.fromEntries(started.map(({ value }, i) => [names[i], value]).filter(([, child]) => child));
  const failed = started.find(({ status }) => status === 'rejected');
  if (!failed) return children;
  await stopChildren(children);
  throw failed.reason;
}

export async function stopChildren(children) {
  await Promise.all(Object.values(children).map((child) => child.stop()));
}

/** The other side: answers with `functions`, and calls `close` when the parent is done. `cpu` is always there: the
 *  microseconds of CPU of this process so far, user and system. */
export function serveParent(functions, close = () => undefined) {
  const all = { cpu: ownCpuUs, ...functions };
  process.on('message', async ({ name, given }) => {
    try {
      process.send({ result: await all[name](given) });
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

/** Microseconds of CPU of this process so far, user and system. */
export function ownCpuUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
