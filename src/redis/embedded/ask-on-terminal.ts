import { createInterface } from 'node:readline';

const CANCELLING = ['SIGTERM', 'SIGHUP'] as const;

/** Whether a person can be asked: standard input and standard error are terminals. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a question on the terminal and waits for the answer without a limit. True for `y` and `yes` only; Ctrl-C, Ctrl-D
 *  and the signals SIGTERM and SIGHUP mean no. */
export async function askOnTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const cancel = (): void => terminal.close();
  for (const signal of CANCELLING) process.once(signal, cancel);
  const answer = await new Promise<string>((resolve) => {
    terminal.once('SIGINT', cancel);
    terminal.once('close', () => resolve(''));
    terminal.question(question, resolve);
  });
  for (const signal of CANCELLING) process.off(signal, cancel);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
