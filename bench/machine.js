import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withRedis } from './support/redis.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['@redis/client', 'connect-redis', 'express', 'express-session'];

/** What a run was made on: { machine, versions }. */
export async function describeMachine() {
  const [{ model }] = cpus();
  const redis = await withRedis(async ({ version }) => version);
  return {
    machine: {
      cores: cpus().length,
      model,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
      commit: commitOf(),
    },
    versions: {
      sessionwise: versionIn(ROOT),
      node: process.versions.node,
      redis,
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    },
  };
}

function commitOf() {
  const git = (...given) => execFileSync('git', given, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ', with changes');
  } catch {
    return 'unknown: no checkout';
  }
}

// A package's exports may hide its package.json.
function versionOf(name) {
  let folder = dirname(createRequire(import.meta.url).resolve(name));
  while (!folder.endsWith(join('node_modules', name))) folder = dirname(folder);
  return versionIn(folder);
}

function versionIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
