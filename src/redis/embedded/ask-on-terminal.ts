import { createInterface } from 'node:readline';

const GIVING_UP = ['SIGTERM', 'SIGHUP'] as const;

/** Whether a person can be asked: standard input and standard error are terminals. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a question on the terminal and waits for the answer without a limit. True for `y` and `yes` only; Ctrl-C, Ctrl-D
 *  and the signals SIGTERM and SIGHUP mean no. */
export async function askOnTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const giveUp = (): void => terminal.close();
  for (const signal of GIVING_UP) process.once(signal, giveUp);
  const answer = await new Promise<string>((resolve) => {
    terminal.once('SIGINT', giveUp);
    terminal.once('close', () => resolve(''));
    terminal.question(question, resolve);
  });
  for (const signal of GIVING_UP) process.off(signal, giveUp);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
