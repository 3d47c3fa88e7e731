import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const UNIT = join(ROOT, 'deploy/systemd/sessionwise.service');
/** Ten times what systemd-analyze prints: from 0, all is forbidden, to 100. A unit without any of these lines has 92. */
const MOST_EXPOSURE = 20;

const hasTool = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasTool && process.env.CI) throw new Error('systemd-analyze is not installed: apt-get install systemd');
if (!hasTool) console.warn('THE CHECK OF THE UNIT OF SYSTEMD IS SKIPPED: apt-get install systemd');

describe('the unit of systemd', () => {
  const analyze = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, UNIT], { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  };
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(UNIT, 'utf8'))?.[1];

  it.skipIf(!hasTool)('has nothing that systemd would not understand', () => {
    expect(analyze('verify')).toEqual({ status: 0, said: '' });
  });

  it.skipIf(!hasTool)('forbids the service what it does not need', () => {
    const { status, said } = analyze('security', '--offline=true', `--threshold=${MOST_EXPOSURE}`);
    expect(status, said).toBe(0);
  });

  it('starts the command of the package, and stops and reloads it as it wants to be', () => {
    const [, program] = /node_modules\/sessionwise\/(\S+)/.exec(value('ExecStart')!)!;
    expect(existsSync(join(ROOT, program!))).toBe(true);
    expect(value('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    expect(value('Restart')).toBe('always');
    expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(5);
    expect(value('User')).toBe('sessionwise');
  });
});
