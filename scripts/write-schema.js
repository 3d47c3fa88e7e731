// Writes the JSON Schema of the configuration file from the schema that checks it; a test compares the two.
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { configSchema } from '../dist/cli/config/config.js';

const schema = z.toJSONSchema(configSchema, { io: 'input' });
writeFileSync(
  'schema/config.schema.json',
  `${JSON.stringify({ title: 'Sessionwise configuration', ...schema }, null, 2)}\n`,
);
