import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GROUP, NOTICES, SECRET } from './namespace.js';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Publishes the group's notices, as the README says. */
export async function publishNotices(redis, namespace) {
  for (const id of NOTICES) {
    const text = 'Whatever you order until Sunday comes for nothing.';
    const flags = ['--redis', redis, '--namespace', namespace, '--id', id, '--text', text];
    const env = { ...process.env, SESSIONWISE_SECRET: SECRET };
    await promisify(execFile)(process.execPath, [CLI, 'notices', 'publish', '--group', GROUP, ...flags], { env });
  }
}
