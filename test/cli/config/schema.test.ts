import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { archiveOf, sessionKeysOf } from '../../../src/cli/config/config.ts';
import { checkConfig, configSchema, serviceOptionsOf } from '../../../src/cli/config/index.ts';

describe('configuration', () => {
  it('the JSON Schema for editors is the one that checks (npm run schema writes it)', () => {
    const written = JSON.parse(readFileSync(new URL('../../../schema/config.schema.json', import.meta.url), 'utf8'));
    const made = JSON.parse(JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' })));
    expect(written).toEqual({ title: 'Sessionwise configuration', ...made });
  });

  it('means what it says for the service', () => {
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

  it('means what it says for sessions that end', () => {
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

  it('names an archive, where the environment wins', () => {
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

  it.each([
    [{ archive: { postgres: 'mysql://someone:hidden@localhost/db' } }, /archive\.postgres: give postgres:/],
    [{ archive: { postgres: 'postgres:///db', table: 'hidden; DROP' } }, /archive\.table: give a-z/],
    [{ archive: { bogus: 1 } }, /archive\.bogus is unknown: known are postgres, table, schema\.$/],
    [{ sessions: { encryptionKeys: ['hidden'] } }, /sessions\.encryptionKeys\[0\]: give 32 random bytes/],
    [{ sessions: { encryptionKeys: [] } }, /sessions\.encryptionKeys: /],
    [{ sessions: { lifecycleLength: 0 } }, /sessions\.lifecycleLength: /],
  ])('refuses %j, and shows no secret', (value, sentence) => {
    expect(() => checkConfig(value)).toThrow(sentence);
    expect(() => checkConfig(value)).not.toThrow(/hidden/);
  });

  // In our words: what the validator would say names its own terms, and a later version of it others.
  it.each<[unknown, string]>([
    [{ exactLimt: 1 }, 'exactLimt is unknown: did you mean "exactLimit"?'],
    [{ colour: 1 }, /colour is unknown: known are \$schema, redis, namespace, /.source],
    [{ filter: { error_rate: 0.1 } }, 'filter.error_rate is unknown: did you mean "errorRate"?'],
    [{ redis: { pasword: 'hidden' } }, 'redis.pasword is unknown: did you mean "password"?'],
    [{ redis: { tls: { cA: 'hidden' } } }, 'redis.tls.cA is unknown: did you mean "ca"?'],
    [{ redis: { cluster: [{ hots: 'x' }] } }, 'redis.cluster[0].host is missing: give a text that is not empty'],
    [{ redis: { port: 'hidden' } }, 'redis.port: give a whole number from 1 to 65535.'],
    [{ redis: { port: 70_000 } }, 'redis.port: give a whole number from 1 to 65535.'],
    [{ redis: 7 }, 'redis: give a text or an object.'],
    [{ exactLimit: 1000 }, 'exactLimit: give a whole number from 0 to 512.'],
    [{ exactLimit: 1.5 }, 'exactLimit: give a whole number from 0 to 512.'],
    [{ exactLimit: '9' }, 'exactLimit: give a whole number from 0 to 512.'],
    [{ filter: { errorRate: 2 } }, 'filter.errorRate: give a number from 0.0001 to 0.5.'],
    [{ filter: { engine: 'hidden' } }, 'filter.engine: give "auto", "portable" or "native".'],
    [{ filter: [] }, 'filter: give an object.'],
    [{ retention: { days: 0 } }, 'retention.days: give a number above 0, at most 3650.'],
    [{ acceptTimes: 'hidden' }, 'acceptTimes: give true or false.'],
    [{ http: true }, 'http: give a text or a whole number.'],
    [{ secret: 'hidden' }, 'secret: give a text of at least 16 characters.'],
    [{ combos: {} }, 'combos: give a list of at most 1000 entries.'],
    [{ combos: [{ name: 'a', all: [], suggest: 'b' }] }, 'combos[0].all: give a list of 1 to 50 entries.'],
    [{ combos: [{ name: 'a', all: ['/x', 7], suggest: 'b' }] }, 'combos[0].all[1]: give a text that is not empty.'],
    [{ combos: [{ name: 'a', all: ['/x'] }] }, 'combos[0].suggest is missing: give a text'],
    [{ sessions: { encryptionKeys: [7] } }, 'sessions.encryptionKeys[0]: give a text.'],
    [[], 'give an object.'],
    ['hidden', 'give an object.'],
    [{ exactLimit: -1, http: 1.5, colur: 1 }, 'http: give a text or a whole number; exactLimit: give a whole number'],
  ])('says of %j what to give, in our words', (value, sentence) => {
    const check = () => checkConfig(value, 'file.json');
    expect(check).toThrow(/^file\.json: /);
    expect(check).toThrow(sentence.startsWith('colour') ? new RegExp(sentence) : sentence);
    expect(check).not.toThrow(/hidden|expected|received|Invalid|Unrecognized|Too (small|big)/);
  });

  it('the shop’s configuration is valid', () => {
    const text = readFileSync(new URL('../../../examples/shop/sessionwise.json', import.meta.url), 'utf8');
    expect(checkConfig(JSON.parse(text)).combos.length).toBeGreaterThan(0);
  });
});
