import {
  type ArgumentKind,
  type ArgumentValues,
  checkNames,
  declare,
  encodeArguments,
  readArgument,
  writeHeader,
} from './define-script.ts';
import { joinLua, type LuaText } from './lua-text.ts';
import type { CommandConnection } from './redis-connection.ts';
import { Script, type Step } from './script.ts';

/* define-step-wrapper.ts: a script around the script of any step, so that both are one atomic step.
 *
 * The step counts its KEYS and ARGV from the front and to the end (`#ARGV`). So those of the wrapper stand behind, are
 * counted from the end, and are taken off before the step runs. */

/** Describes a script around a step's script. Keys and arguments are locals of the body under their names. */
export interface StepWrapperDefinition<Key extends string, Args extends Readonly<Record<string, ArgumentKind>>> {
  /** Names the script in its header and in errors. */
  readonly name: string;
  /** The shared texts that the body needs. Default: none. */
  readonly uses?: readonly LuaText[];
  /** At least one; in the slot of the step's keys. */
  readonly keys: readonly Key[];
  /** At least one. */
  readonly args: Args;
  /** Says in the header which answer it gives. */
  readonly output: string;
  /** Gets the step's source. It belongs into a Lua function of its own, because it returns. */
  readonly body: (stepSource: string) => string;
}

/** A script around the scripts of steps. */
export class StepWrapper<Key extends string, Args extends Readonly<Record<string, ArgumentKind>>> {
  readonly #definition: StepWrapperDefinition<Key, Args>;
  readonly #argNames: readonly string[];
  readonly #scripts = new Map<string, Script<unknown>>();

  constructor(definition: StepWrapperDefinition<Key, Args>) {
    this.#definition = definition;
    this.#argNames = Object.keys(definition.args);
    checkNames(definition.name, [...definition.keys, ...this.#argNames]);
  }

  /** The script around a step's script; made once for each. */
  around(step: Script<unknown>): Script<unknown> {
    let script = this.#scripts.get(step.hash);
    if (!script) {
      script = new Script(this.#sourceAround(step.source));
      this.#scripts.set(step.hash, script);
    }
    return script;
  }

  /** Runs it around a step, in one round trip. Returns the answer as it came; the caller has the step read it.
   *  @throws whatever the script or Redis answers as an error. */
  run(
    redis: CommandConnection,
    step: Step<unknown>,
    keys: Readonly<Record<Key, string>>,
    args: ArgumentValues<Args>,
  ): Promise<unknown> {
    const ownKeys = this.#definition.keys.map((name) => keys[name]);
    const ownArgs = encodeArguments(this.#argNames, args);
    return this.around(step.script).run(redis, [...step.keys, ...ownKeys], [...step.args, ...ownArgs]);
  }

  #sourceAround(stepSource: string): string {
    const { name, uses = [], keys, args, output, body } = this.#definition;
    const [k, a] = [keys.length, this.#argNames.length];
    const keyValues = keys.map((_, i) => `KEYS[key_count - ${k - 1 - i}]`);
    const argValues = Object.values(args).map((kind, i) => readArgument(`arg_count - ${a - 1 - i}`, kind));
    return [
      ...writeHeader(name, ["the step's ...", ...keys], ["the step's ...", ...this.#argNames], output),
      'local key_count, arg_count = #KEYS, #ARGV',
      ...declare(keys, keyValues),
      ...declare(this.#argNames, argValues),
      `for i = key_count, key_count - ${k - 1}, -1 do KEYS[i] = nil end`,
      `for i = arg_count, arg_count - ${a - 1}, -1 do ARGV[i] = nil end`,
      joinLua(uses),
      body(stepSource).trim(),
    ].join('\n');
  }
}

/** Defines a script around the scripts of steps.
 *  @throws RangeError where two of its names are the same, or a name is no name in Lua. */
export function defineStepWrapper<const Key extends string, const Args extends Readonly<Record<string, ArgumentKind>>>(
  definition: StepWrapperDefinition<Key, Args>,
): StepWrapper<Key, Args> {
  return new StepWrapper(definition);
}
