import type { ChildProcess } from 'node:child_process';

/** Collects the end of a child process's output, of both streams together: the last `characters`, for the message of an
 *  error. Returns a function that returns them. */
export function outputTail(child: ChildProcess, characters: number): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-characters);
    });
  }
  return () => tail.trim();
}
