import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findDockerCompose } from '../support/find-docker-compose.ts';

const FILE = join(import.meta.dirname, '../../deploy/compose.yaml');
const SECRETS = { SESSIONWISE_SECRET: 's'.repeat(43), COOKIE_SECRET: 'c'.repeat(43) };
const compose = findDockerCompose();

describe('the compose file', () => {
  const project = mkdtempSync(join(tmpdir(), 'sw-compose-'));
  afterAll(() => rmSync(project, { recursive: true }));
  const { services } = parse(readFileSync(FILE, 'utf8'));
  const check = ['-f', FILE, '--project-directory', project, 'config'];

  it.skipIf(compose === undefined)('is one that docker-compose takes', () => {
    const env = { PATH: process.env.PATH, ...SECRETS };
    const read = parse(execFileSync(compose!, check, { env, encoding: 'utf8', stdio: 'pipe' }));
    expect(Object.keys(read.services).sort()).toEqual(['redis', 'service', 'shop']);
    expect(read.services.service.environment.SESSIONWISE_SECRET).toBe(SECRETS.SESSIONWISE_SECRET);
    expect(read.services.service.build.context).toBe(project);
  });

  it.skipIf(compose === undefined)('says what to do where the secrets are missing', () => {
    const { status, stderr } = spawnSync(compose!, check, { env: { PATH: process.env.PATH }, encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toContain('run npx sessionwise init');
  });

  it.each(Object.keys(services))('%s has no rights that it does not need', (name) => {
    const { read_only, cap_drop, security_opt, restart, ports = [] } = services[name];
    expect({ read_only, cap_drop, security_opt, restart }).toEqual({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    });
    expect(ports.filter((port: string) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('Redis loses nothing and evicts nothing, and waits are for what is ready', () => {
    expect(services.redis.command).toContain('--appendonly yes --appendfsync everysec --save 60 1');
    expect(services.redis.command).toContain('--maxmemory-policy noeviction');
    expect(services.service.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    expect(services.service.healthcheck.test.join(' ')).toContain('/readyz');
  });
});
