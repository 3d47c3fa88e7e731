import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig, rulesSchema } from '../../src/cli/config/index.ts';
import { checkRules } from '../../src/rules/index.ts';
import { type Block, blocksOf, DOCUMENTS, ROOT } from './documents.ts';
import { OUTPUTS } from './outputs.ts';
import { faultOfLine } from './shell-lines.ts';
import { exchangesOf } from './transcript.ts';
import { OF_THE_PROTOCOL, TREATED_ELSEWHERE } from './treated-elsewhere.ts';

/* Each fenced block of the documents is held by something. Code compiles (typed-blocks.test.ts), whole programs run
 * (programs.test.ts), configurations pass our schemas, command lines name what exists, and what commands print is compared
 * (outputs.test.ts). A block of a kind that nothing holds fails here: give it a test, or a reason in treated-elsewhere.ts. */

const BLOCKS = DOCUMENTS.flatMap(blocksOf);
const nameOf = ({ file, firstLine }: Block): string => `${file}:${firstLine}`;

describe('the fenced blocks of the documents', () => {
  it('are found', () => {
    expect(BLOCKS.length).toBeGreaterThan(100);
  });

  it('each has a treatment', () => {
    expect(BLOCKS.filter((block) => treatmentOf(block) === undefined).map(nameOf)).toEqual([]);
  });

  it('what is treated elsewhere is there, and so is the test', () => {
    const gone = TREATED_ELSEWHERE.filter(
      ([file, part, by]) =>
        !BLOCKS.some((block) => block.file === file && block.text.includes(part)) ||
        (!by.startsWith('reason: ') && !existsSync(join(ROOT, by.split(',')[0]!))),
    );
    expect(gone).toEqual([]);
  });

  it.each(blocksIn('json').map((block) => [nameOf(block), block] as const))('%s is JSON that we take', (_, block) => {
    const value = JSON.parse(block.text) as Record<string, unknown>;
    if (block.words.length > 0) return; // an answer, or what another test reads
    if ('drafts' in value) checkRules({ suggestions: (value.drafts as object[]).map(withoutFound) as never });
    else if (String(value.$schema).includes('rules.schema')) {
      expect(rulesSchema.safeParse(value).error).toBeUndefined();
      const { $schema: _schema, ...rules } = value;
      checkRules(rules);
    } else {
      const { rules: _rules, ...config } = value; // a file that is not there
      checkConfig(config, nameOf(block));
    }
  });

  it.each(blocksIn('sh').map((block) => [nameOf(block), block] as const))('%s names what exists', (_, block) => {
    const lines = block.text.replaceAll('\\\n', ' ').split('\n');
    const faults = lines.flatMap((line) => faultOfLine(line.trim()) ?? []);
    expect(faults).toEqual([]);
  });

  it('a command line that names what does not exist is refused', () => {
    expect(faultOfLine('npx sessionwise serv --redis x')).toBe('sessionwise has no command serv');
    expect(faultOfLine('A=b npx sessionwise serve --redsi x')).toBe('sessionwise serve has no --redsi');
    expect(faultOfLine('npx sessionwise notices publish --limit 3')).toBe('sessionwise notices publish has no --limit');
    expect(faultOfLine('npm run nothing')).toBe('npm run nothing is no script');
    expect(faultOfLine('npm install left-pad')).toBe('left-pad is no package of package.json');
    expect(faultOfLine('npm ci && rm -rf /')).toBe('the program rm is none that documents name');
  });
});

function blocksIn(language: string): Block[] {
  return BLOCKS.filter((block) => block.language === language && !block.words.includes('usage'));
}

function withoutFound({ found: _, ...draft }: { found?: unknown }): object {
  return draft;
}

/** What holds a block; undefined where nothing does. */
function treatmentOf(block: Block): string | undefined {
  const { file, language, text, words } = block;
  if (['js', 'ts', 'json', 'sh'].includes(language)) return language;
  if (file === 'docs/protocol.md' && OF_THE_PROTOCOL.includes([language, ...words].join(' '))) return 'protocol';
  if (language === 'text' && exchangesOf(text).length > 0 && file !== 'README.md') return 'transcript';
  if (OUTPUTS.some((output) => output.file === file && text.startsWith(output.beginning))) return 'output';
  return TREATED_ELSEWHERE.find(([where, part]) => where === file && text.includes(part))?.[2];
}
