import { createHash } from 'node:crypto';
import type { CommandArguments, CommandConnection } from './redis-connection.ts';

/** An argument of a script; numbers are sent as decimal text. */
export type ScriptArgument = string | number | Buffer;

/** One Lua script: an atomic step in one round trip. Sent in full once per connection, then by its hash; where
 *  the server has forgotten it, once more in full. */
export class Script<Reply> {
  readonly source: string;
  readonly hash: string;

  constructor(source: string) {
    this.source = source;
    this.hash = createHash('sha1').update(source).digest('hex');
  }

  /** Runs it. All keys must share a slot.
   *  @throws whatever the script or Redis answers as an error. */
  run(redis: CommandConnection, keys: readonly string[], args: readonly ScriptArgument[]): Promise<Reply> {
    return this.#run(redis, (command) => redis.command<Reply>(...command), keys, args);
  }

  /** As `run`, with bulk strings as Buffers. */
  runForBuffers(redis: CommandConnection, keys: readonly string[], args: readonly ScriptArgument[]): Promise<Reply> {
    return this.#run(redis, (command) => redis.commandForBuffers<Reply>(...command), keys, args);
  }

  // No async function: each frame that waits costs a process that serves thousands at once.
  #run(
    redis: CommandConnection,
    send: (command: CommandArguments) => Promise<Reply>,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<Reply> {
    const command = ['EVALSHA', this.hash, String(keys.length), ...keys, ...args.map(textOf)];
    const inFull = (): Promise<Reply> => send(['EVAL', this.source, ...command.slice(2)]);
    // Sends the source with the first run on a connection. If it sent only the hash and repeated the run after
    // NOSCRIPT, later requests would run before the repeated one.
    const known = redis.knownScripts(keys[0]);
    if (!known.has(this.hash)) {
      known.add(this.hash);
      return inFull();
    }
    return send(command).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return inFull();
    });
  }
}

function textOf(arg: ScriptArgument): string | Buffer {
  return typeof arg === 'number' ? String(arg) : arg;
}

/** A prepared atomic step: a script, its keys and arguments, and the function that reads its answer. A transport may
 *  put it into a larger step, which commits a request together with its effects. */
export interface Step<Result> {
  readonly script: Script<unknown>;
  /** All in one slot; at least one. */
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
  read(reply: unknown): Result;
}

/** Does a step, and returns its result. */
export type Apply = <Result>(step: Step<Result>) => Promise<Result>;

/** Makes a step. */
export function makeStep<Reply, Result>(
  script: Script<Reply>,
  keys: readonly string[],
  args: readonly ScriptArgument[],
  read: (reply: Reply) => Result,
): Step<Result> {
  return { script, keys, args, read: (reply) => read(reply as Reply) };
}

/** Does a step by itself.
 *  @throws whatever the script or Redis answers as an error. */
export function runStep<Result>(redis: CommandConnection, step: Step<Result>): Promise<Result> {
  return step.script.run(redis, step.keys, step.args).then(step.read);
}
