import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
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

  test('the shop’s configuration is valid', () => {
    const text = readFileSync(new URL('../../examples/shop/sessionwise.json', import.meta.url), 'utf8');
    expect(checkConfig(JSON.parse(text)).combos.length).toBeGreaterThan(0);
  });
});
