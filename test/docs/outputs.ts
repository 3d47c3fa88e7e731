/* outputs.ts: what commands print, as documents show it, and how outputs.test.ts makes them print it. */

/** A block of text that shows what the command in the block of the shell above it prints. */
export interface Output {
  readonly file: string;
  /** How the block begins. */
  readonly beginning: string;
  /** What was done before the command runs. */
  readonly before: 'visited' | 'visited-others' | 'sessions-of-ada' | 'nothing';
  /** Whether each line has to be there, or its first two words alone: what a server says of itself differs. */
  readonly compares: 'lines' | 'topics' | 'fields';
}

export const OUTPUTS: readonly Output[] = [
  { file: 'docs/commands.md', beginning: '{"level":30', before: 'nothing', compares: 'fields' },
  { file: 'docs/commands.md', beginning: 'Published "summer-sale"', before: 'visited', compares: 'lines' },
  { file: 'docs/commands.md', beginning: 'Session 86qb3', before: 'visited', compares: 'lines' },
  { file: 'docs/commands.md', beginning: 'Erased:', before: 'sessions-of-ada', compares: 'lines' },
  { file: 'docs/commands.md', beginning: 'Redis at ', before: 'visited', compares: 'topics' },
  { file: 'docs/rules.md', beginning: 'Session 86qb3', before: 'visited-others', compares: 'lines' },
];
