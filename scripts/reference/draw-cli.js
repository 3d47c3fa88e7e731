import { readdirSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addNamespaceOptions } from '../../dist/cli/namespace-options.js';
import { cell, GENERATED } from './markdown.js';

/* draw-cli.js: docs/reference/cli.md, from the definitions that the command line itself reads. */

const CLI = new URL('../../dist/cli/', import.meta.url);
const MAIN = new URL('../../src/cli/main.ts', import.meta.url);

/** The reference of the command line, as Markdown. */
export async function drawCli() {
  const program = await programOf();
  const names = program.commands.map((command) => command.name());
  return [
    '# Commands',
    '',
    GENERATED,
    '',
    '`npx sessionwise COMMAND --help` prints the same. [commands.md](../commands.md) shows the commands at work, with their output.',
    '',
    'Exit codes: 0, done; 1, it failed, and one sentence on standard error says why; 2, the command line or the configuration is wrong. `SESSIONWISE_DEBUG=1` adds the stack and the cause of an error.',
    '',
    'Flags override the environment, the environment overrides the [configuration](configuration.md).',
    '',
    ...NAMESPACE_SECTION,
    '',
    ...names.map(
      (name) => `- [${name}](#${name}): ${program.commands.find((each) => each.name() === name).description()}`,
    ),
    '',
    ...program.commands.flatMap((command) => drawCommand(command, [])),
  ].join('\n');
}

/** All commands of `sessionwise`, in the order of its own help. */
async function programOf() {
  const order = [...readFileSync(MAIN, 'utf8').matchAll(/^ {2}(\w+): async \(\) =>/gm)].map((match) => match[1]);
  const program = new Command('sessionwise');
  for (const file of readdirSync(CLI).filter((name) => name.endsWith('.js') && name !== 'main.js')) {
    for (const [name, add] of Object.entries(await import(new URL(file, CLI).href))) {
      if (/^add\w+Command$/.test(name)) add(program);
    }
  }
  const found = program.commands.map((command) => command.name());
  if (order.length === 0 || [...order].sort().join() !== [...found].sort().join()) {
    throw new Error(`main.ts names ${order.join(', ')}, and the files define ${found.join(', ')}.`);
  }
  program.commands.sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
  return program;
}

const NAMESPACE_SECTION = [
  '## Flags of a namespace',
  '',
  'Most commands work on one namespace of one Redis, and share these flags. Where neither `--redis` nor `--connection` is given, the address is taken from `REDIS_URL` (not by `demo` and `replay`), then from `redis` of the configuration, then from the embedded Redis of the data folder, if one runs.',
  '',
  ...tableOf(addNamespaceOptions(new Command('any'), false).options),
  '',
  '## All commands',
];
const NAMESPACE_FLAGS = addNamespaceOptions(new Command('any')).options.map((option) => option.flags);

function drawCommand(command, parents) {
  const path = [...parents, command.name()];
  const lines = [`${'#'.repeat(path.length + 1)} ${path.join(' ')}`, '', sentence(command.description()), ''];
  const usage = ['npx sessionwise', ...path, command.usage()].join(' ');
  if (command.commands.length === 0) lines.push('```sh usage', usage, '```', '');
  for (const argument of command.registeredArguments) {
    lines.push(`- \`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\`: ${argument.description}`);
  }
  if (command.registeredArguments.length > 0) lines.push('');
  const options = command.options.filter((option) => !option.hidden);
  const hasNamespace = NAMESPACE_FLAGS.every((flags) => options.some((option) => option.flags === flags));
  const own = hasNamespace ? options.filter((option) => !NAMESPACE_FLAGS.includes(option.flags)) : options;
  if (own.length > 0) lines.push(...tableOf(own), '');
  if (hasNamespace)
    lines.push(`${own.length > 0 ? 'And the' : 'The'} [flags of a namespace](#flags-of-a-namespace).`, '');
  const after = textBehindHelp(command);
  if (after !== '') lines.push(...after.split('\n').map((line) => cell(line)), '');
  return [...lines, ...command.commands.flatMap((each) => drawCommand(each, path))];
}

function tableOf(options) {
  return ['| flag | default | |', '| --- | --- | --- |', ...options.map(drawOption)];
}

function drawOption(option) {
  const { flags, mandatory, defaultValue, description } = option;
  const [, said] = /\(default:? ([^)]*)\)/i.exec(description) ?? [];
  const known = ['string', 'number'].includes(typeof defaultValue) ? String(defaultValue) : said;
  const value = mandatory ? 'required' : known === undefined ? '' : `\`${known}\``;
  return `| \`${flags.replaceAll('|', '\\|')}\` | ${cell(value)} | ${cell(description.replace(/ ?\(default:? [^)]*\)/i, ''))} |`;
}

/** What a command prints behind its flags. */
function textBehindHelp(command) {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.slice(text.indexOf(command.helpInformation()) + command.helpInformation().length).trim();
}

function sentence(text) {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.?]$/.test(text) ? '' : '.'}`;
}
