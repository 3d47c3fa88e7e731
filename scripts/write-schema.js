// Writes the JSON Schemas of the configuration file and of files of rules from the schemas that check them; a test compares
// them.
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { configSchema, rulesSchema } from '../dist/cli/config/index.js';

for (const [name, title, schema] of [
  ['config', 'Sessionwise configuration', configSchema],
  ['rules', 'Sessionwise rules', rulesSchema],
]) {
  const text = JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2);
  writeFileSync(`schema/${name}.schema.json`, `${text}\n`);
}
