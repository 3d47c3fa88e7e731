import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { archiveOf, sessionKeysOf } from '../../../src/cli/config/config.ts';
import { checkConfig, configSchema, readConfig, rulesSchema, serviceOptionsOf } from '../../../src/cli/config/index.ts';

describe('configuration', () => {
  it.each([
    ['config', 'Sessionwise configuration', configSchema],
    ['rules', 'Sessionwise rules', rulesSchema],
  ] as const)(
    'the JSON Schema of %s for editors is the one that checks (npm run schema writes it)',
    (name, title, schema) => {
      const file = new URL(`../../../schema/${name}.schema.json`, import.meta.url);
      const written = JSON.parse(readFileSync(file, 'utf8'));
      expect(written).toEqual({ title, ...JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))) });
    },
  );

  it('takes rules from a file of their own, beside it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const write = (name: string, content: unknown): string => {
      writeFileSync(join(folder, name), JSON.stringify(content));
      return join(folder, name);
    };
    const rules = { $schema: 'x', segments: { readers: { seen: '/a?b' } } };
    write('rules.json', rules);
    const config = readConfig(write('config.json', { rules: 'rules.json' }));
    expect(config).toMatchObject({ rules: join(folder, 'rules.json'), segments: { readers: { seen: '/a' } } });
    expect(serviceOptionsOf(config)).toMatchObject({ suggestions: [], segments: { readers: { seen: '/a' } } });
    expect(() => readConfig(write('both.json', { rules: 'rules.json', segments: {} }))).toThrow(
      /both\.json: segments cannot stand beside rules: put it into the file rules\.json\./,
    );
    write('rules.json', { segments: { readers: { sen: '/a' } } });
    expect(() => readConfig(join(folder, 'config.json'))).toThrow(
      /rules\.json: segments\.readers\.sen is unknown: did you mean "seen"\?$/,
    );
    expect(() => readConfig(write('none.json', { rules: 'none' }))).toThrow(
      /The rules .*none cannot be read \(ENOENT\)/,
    );
  });

  it('means what it says for the service', () => {
    const config = checkConfig({
      namespace: 'shop',
      sessionglob: '[a-m]*',
      http: '0.0.0.0:9464',
      exactLimit: 10,
      filter: { engine: 'portable', errorRate: 0.02 },
      retention: { days: 2, bounceMinutes: 5 },
      suggestions: [{ name: 'c', when: { all: [{ seen: 'https://example.org/a?b' }, { seen: 'sku' }] }, suggest: 's' }],
    });
    expect(serviceOptionsOf(config)).toEqual({
      namespace: 'shop',
      sessionglob: '[a-m]*',
      http: { host: '0.0.0.0', port: 9464 },
      seen: { engine: 'portable', errorRate: 0.02, exactLimit: 10 },
      retention: { seconds: 172_800, bounceSeconds: 300 },
      clusters: {},
      segments: {},
      suggestions: [
        { name: 'c', when: { all: [{ seen: '/a' }, { seen: 'sku' }] }, suggest: 's', reason: '', priority: 0 },
      ],
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
    [{ suggestions: {} }, 'suggestions cannot be used: give a list of at most 1,000 rules.'],
    [
      { suggestions: [{ name: 'a', when: { all: [] }, suggest: 'b' }] },
      'suggestions[0].when.all ([]) cannot be used: give a list of conditions, one at least.',
    ],
    [
      { suggestions: [{ name: 'a', when: { all: [{ seen: '/x' }, { seen: 7 }] }, suggest: 'b' }] },
      'suggestions[0].when.all[1].seen (7) is no item: give a path',
    ],
    [
      { suggestions: [{ name: 'a', when: { seen: '/x' } }] },
      'suggestions[0].suggest (undefined) cannot be used: give a text',
    ],
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
    expect(checkConfig(JSON.parse(text)).suggestions.length).toBeGreaterThan(0);
  });
});
