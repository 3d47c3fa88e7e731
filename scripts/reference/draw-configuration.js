import { z } from 'zod';
import { configSchema } from '../../dist/cli/config/index.js';
import { cell, GENERATED } from './markdown.js';

/* draw-configuration.js: docs/reference/configuration.md, from the schema that checks the file. */

/** The reference of the configuration file, as Markdown. */
export function drawConfiguration() {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  const defs = schema.$defs ?? {};
  const rows = rowsOf(schema.properties, '', defs);
  return [
    '# The configuration file',
    '',
    GENERATED,
    '',
    '`sessionwise serve --config FILE` reads it, and so do the other commands. Flags override the environment, the environment overrides the file. An unknown field or an unusable value is refused with its place: exit code 2. In an editor, `"$schema": "./node_modules/sessionwise/schema/config.schema.json"` completes and checks it.',
    '',
    '```json',
    JSON.stringify(EXAMPLE, null, 2),
    '```',
    '',
    'Rules (`clusters`, `suggestions`, `segments`) are described in [rules.md](../rules.md).',
    '',
    '| field | values | default | |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '## Environment',
    '',
    '| variable | overrides |',
    '| --- | --- |',
    '| `SESSIONWISE_SECRET` | `secret` |',
    '| `REDIS_URL` | `redis` |',
    '| `SESSIONWISE_ARCHIVE_POSTGRES` | `archive.postgres` |',
    '| `SESSIONWISE_SESSION_KEYS` | `sessions.encryptionKeys`, separated by commas |',
    '',
  ].join('\n');
}

const EXAMPLE = {
  $schema: './node_modules/sessionwise/schema/config.schema.json',
  namespace: 'shop',
  transport: 'both',
  http: 9464,
  rules: 'rules.json',
  retention: { days: 30, bounceMinutes: 30 },
};

function rowsOf(properties, prefix, defs) {
  return Object.entries(properties).flatMap(([name, given]) => {
    const part = resolved(given, defs);
    const path = prefix + name;
    const { description = '' } = given.description === undefined ? part : given;
    const [said = '', value = ''] = / ?Default:? (?!host|port)(.*)\.$/.exec(description) ?? [];
    const meaning = description.slice(0, description.length - said.length).trim();
    const row = `| \`${path}\` | ${cell(formOf(part, defs))} | ${cell(value)} | ${cell(meaning)} |`;
    const isOpen = part.properties !== undefined && path.split('.').length < 3;
    return isOpen ? [row, ...rowsOf(part.properties, `${path}.`, defs)] : [row];
  });
}

function resolved(part, defs) {
  return part.$ref === undefined ? part : (defs[part.$ref.split('/').at(-1)] ?? part);
}

/** What a value may be, in words. */
function formOf(given, defs, depth = 0) {
  const part = resolved(given, defs);
  if (given.$ref?.endsWith('condition')) return 'a condition';
  if (part.enum) return part.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (part.anyOf) return [...new Set(part.anyOf.map((each) => formOf(each, defs, depth + 1)))].join(' or ');
  if (part.type === 'array') {
    const most = part.maxItems === undefined ? '' : `, at most ${part.maxItems.toLocaleString('en')}`;
    return `list of ${formOf(part.items, defs, depth + 1)}${part.minItems > 1 ? `, at least ${part.minItems}` : ''}${most}`;
  }
  if (part.type === 'integer' || part.type === 'number') return numberOf(part);
  if (part.type === 'boolean') return '`true`, `false`';
  if (part.type === 'string') return part.minLength > 1 ? `text, at least ${part.minLength} characters` : 'text';
  if (part.additionalProperties && typeof part.additionalProperties === 'object') {
    return `object of ${formOf(part.additionalProperties, defs, depth + 1)} by name`;
  }
  return 'object';
}

function numberOf({ type, minimum, maximum, exclusiveMinimum }) {
  const noun = type === 'integer' ? 'whole number' : 'number';
  const least = minimum ?? exclusiveMinimum;
  const from =
    least === undefined || least <= -Number.MAX_SAFE_INTEGER
      ? ''
      : minimum === undefined
        ? ` above ${least}`
        : ` from ${least}`;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${maximum.toLocaleString('en')}`;
  return `${noun}${from}${to}`;
}
