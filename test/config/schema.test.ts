import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { archiveOf, sessionKeysOf } from '../../src/config/config.ts';
import { checkConfig, configSchema, serviceOptionsOf } from '../../src/config/index.ts';

describe('configuration', () => {
  test('the JSON Schema for editors is the one that checks (npm run schema writes it)', () => {
    const written = JSON.parse(readFileSync(new URL('../../schema/config.schema.json', import.meta.url), 'utf8'));
    const made = JSON.parse(JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' })));
    expect(written).toEqual({ title: 'Sessionwise configuration', ...made });
  });

  test('means what it says for the service', () => {
    const config = checkConfig({
      namespace: 'shop',
      sessionglob: '[a-m]*',
      http: '0.0.0.0:9464',
      exactLimit: 10,
      filter: { engine: 'portable', errorRate: 0.02 },
      retention: { days: 2, bounceMinutes: 5 },
      combos: [{ name: 'c', all: ['https://example.org/a?b', 'sku'], suggest: 's' }],
    });
    expect(serviceOptionsOf(config)).toEqual({
      namespace: 'shop',
      sessionglob: '[a-m]*',
      http: { host: '0.0.0.0', port: 9464 },
      seen: { engine: 'portable', errorRate: 0.02, exactLimit: 10 },
      retention: { seconds: 172_800, bounceSeconds: 300 },
      combos: [{ name: 'c', all: ['/a', 'sku'], suggest: 's', reason: '' }],
    });
  });

  test('means what it says for sessions that end', () => {
    const key = 'ab'.repeat(32);
    const config = checkConfig({
      sessions: { sweep: false, lifecycleLength: 50, encryptionKeys: [key], acceptPlain: true },
    });
    expect(serviceOptionsOf(config).sessions).toEqual({
      sweep: false,
      lifecycleLength: 50,
      encryption: { keys: [key], acceptPlain: true },
    });
    expect(serviceOptionsOf(checkConfig({})).sessions).toBeUndefined();
    expect(sessionKeysOf({ SESSIONWISE_SESSION_KEYS: ` ${key}, x ,` })).toEqual([key, 'x']);
    expect(sessionKeysOf({ SESSIONWISE_SESSION_KEYS: '' })).toBeUndefined();
    expect(sessionKeysOf({})).toBeUndefined();
  });

  test('names an archive, where the environment wins', () => {
    const url = 'postgres://someone:hidden@localhost/db';
    expect(archiveOf(checkConfig({}), {})).toBeUndefined();
    expect(archiveOf(checkConfig({ archive: { postgres: url, table: 'ended', schema: 'shop' } }), {})).toBeTypeOf(
      'function',
    );
    expect(archiveOf(checkConfig({}), { SESSIONWISE_ARCHIVE_POSTGRES: url })).toBeTypeOf('function');
    expect(archiveOf(checkConfig({ archive: { table: 'ended' } }), { SESSIONWISE_ARCHIVE_POSTGRES: url })).toBeTypeOf(
      'function',
    );
    expect(() => archiveOf(checkConfig({ archive: { table: 'ended' } }), {})).toThrow(/no database is named/);
    const wins = () =>
      archiveOf(checkConfig({ archive: { postgres: url } }), { SESSIONWISE_ARCHIVE_POSTGRES: 'hidden' });
    expect(wins).toThrow(/SESSIONWISE_ARCHIVE_POSTGRES is no address/);
    expect(wins).not.toThrow(/hidden/);
  });

  test.each([
    [{ archive: { postgres: 'mysql://someone:hidden@localhost/db' } }, /archive\.postgres: give postgres:/],
    [{ archive: { postgres: 'postgres:///db', table: 'hidden; DROP' } }, /archive\.table: give a-z/],
    [{ archive: { bogus: 1 } }, /archive: .*bogus/],
    [{ sessions: { encryptionKeys: ['hidden'] } }, /sessions\.encryptionKeys\[0\]: give 32 random bytes/],
    [{ sessions: { encryptionKeys: [] } }, /sessions\.encryptionKeys: /],
    [{ sessions: { lifecycleLength: 0 } }, /sessions\.lifecycleLength: /],
  ])('refuses %j, and shows no secret', (value, sentence) => {
    expect(() => checkConfig(value)).toThrow(sentence);
    expect(() => checkConfig(value)).not.toThrow(/hidden/);
  });

  test('the shop’s configuration is valid', () => {
    const text = readFileSync(new URL('../../examples/shop/sessionwise.json', import.meta.url), 'utf8');
    expect(checkConfig(JSON.parse(text)).combos.length).toBeGreaterThan(0);
  });
});
