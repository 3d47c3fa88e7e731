import type { ChildProcess } from 'node:child_process';

/** Keeps the end of what a child process says, on both of its streams together: the last `characters` of it, for the
 *  message of an error. Returns a function that tells it. */
export function outputTail(child: ChildProcess, characters: number): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-characters);
    });
  }
  return () => tail.trim();
}
