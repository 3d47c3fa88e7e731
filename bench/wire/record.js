import { createHash } from 'node:crypto';
import { NAMESPACE, PAGES, requestOf } from './load.js';
import { openMonitor } from './monitor.js';
import { openClient, openService } from './ours.js';
import { templateOf } from './templates.js';

/** Hears which commands Redis gets for each request over a way, one request at a time. Returns templates by kind and
 *  number, and what is needed to send them again: the scripts' texts, what the service subscribes to, how it reads its
 *  streams, and the leases that its scripts look at. */
export async function recordWay({ redis, url, way, kinds, sessions }) {
  await redis.sendCommand(['FLUSHALL']);
  // Else a service that is there no more has told the server its scripts, and no text is heard.
  await redis.sendCommand(['SCRIPT', 'FLUSH']);
  const monitor = await openMonitor(url);
  const service = way === 'inline' ? undefined : await openService(url, { way });
  const client = await openClient(url, { way, inFlight: 1, sessions });
  const heardBy = async (name) => {
    await redis.sendCommand(['ECHO', name]);
    const isMark = ([command, text]) => command === 'ECHO' && text === name;
    while (!monitor.commands.some(isMark)) await new Promise(setImmediate);
    const at = monitor.commands.findIndex(isMark);
    return monitor.commands.splice(0, at + 1);
  };
  try {
    const templates = {};
    const scripts = {};
    // A connection sends a script in full the first time.
    await client.once(0, 'view');
    for (const kind of kinds) await client.once(0, kind);
    const before = await heardBy('ready');
    for (const kind of kinds) {
      const count = kind === 'view' ? sessions * PAGES : sessions;
      templates[kind] = [];
      for (let i = 0; i < count; i += 1) {
        await client.once(i, kind);
        const heard = await heardBy(`${kind} ${i}`);
        const [, session] = requestOf(kind, i, sessions);
        templates[kind].push(templateOf(heard, session, way === 'inline'));
        before.push(...heard.filter(([name]) => name === 'XREAD' || name === 'EVAL'));
      }
    }
    for (const [name, source] of before) {
      if (name === 'EVAL') scripts[createHash('sha1').update(source, 'latin1').digest('hex')] = source;
    }
    const patterns = before.flatMap(([name, ...names]) => (name.toUpperCase() === 'PSUBSCRIBE' ? names : []));
    return {
      templates,
      scripts: Object.values(scripts),
      patterns: patterns.filter((pattern) => pattern.includes(':ss:')),
      read: before.findLast(([name]) => name === 'XREAD'),
      leases: way === 'streams' ? await leasesOf(redis, templates.view) : {},
    };
  } finally {
    await client.close();
    await service?.close();
    monitor.close();
  }
}

// Keys of several sessions whose value a commit brings along.
async function leasesOf(redis, templates) {
  const leases = {};
  for (const { work } of templates) {
    for (const command of work) {
      for (const key of command) {
        if (typeof key !== 'string' || !key.startsWith(`${NAMESPACE}:`) || key in leases) continue;
        if ((await redis.sendCommand(['TYPE', key])) !== 'string') continue;
        const value = await redis.sendCommand(['GET', key]);
        leases[key] = command.includes(value) ? value : undefined;
      }
    }
  }
  return Object.fromEntries(Object.entries(leases).filter(([, value]) => value !== undefined));
}
