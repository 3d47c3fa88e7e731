import { joinLua, type LuaText } from './lua-text.ts';
import type { CommandConnection } from './redis-connection.ts';
import { makeStep, Script, type ScriptArgument, type Step } from './script.ts';

/* define-script.ts: a script by names. Positions in KEYS and ARGV, and the numbers of statuses, are counted here and
 * nowhere else: a call that names its arguments cannot mix up the seventh and the eighth. */

/** How an argument travels: `text` as it is, `number` as decimal text that the script gets back as a number, `flag` as a
 *  boolean. */
export type ArgumentKind = 'text' | 'number' | 'flag';

type ArgumentValue<Kind extends ArgumentKind> = {
  readonly text: string | Buffer;
  readonly number: number;
  readonly flag: boolean;
}[Kind];

/** Named values for a script's arguments. */
export type ArgumentValues<Args extends Record<string, ArgumentKind>> = {
  readonly [Name in keyof Args]: ArgumentValue<Args[Name]>;
};

/** Named values for a script's keys. A name that ends with `?` may be left out, with all behind it. */
export type KeyValues<Key extends string> = {
  readonly [Name in Key as Name extends `${string}?` ? never : Name]: string;
} & {
  readonly [Name in Key as Name extends `${infer Optional}?` ? Optional : never]?: string | undefined;
};

/** Keys and arguments behind the named ones. */
export interface ScriptRest {
  readonly keys?: readonly string[];
  readonly args?: readonly ScriptArgument[];
}

/** Describes a script. Keys and arguments are locals of the body under their names. */
export interface ScriptDefinition<
  Key extends string,
  Args extends Record<string, ArgumentKind>,
  Status extends string,
> {
  /** Names the script in its header and in errors: its file's name. */
  readonly name: string;
  /** The shared texts that the body needs. Default: none. */
  readonly uses?: readonly LuaText[];
  /** At least one; all in one slot. A call may leave out those at the end whose names end with `?`. */
  readonly keys: readonly Key[];
  /** Default: none. */
  readonly args?: Args;
  /** Names the keys behind the named ones (where it stands there may be no named ones), one of them: `first<Name>` is
   *  the position of the first in KEYS. */
  readonly restKeys?: string;
  /** As `restKeys`, for ARGV. They are not copied: a call may have thousands. */
  readonly restArgs?: string;
  /** The statuses that the script answers: it returns one of them, or a list that begins with one. Default: it answers
   *  something else. */
  readonly statuses?: Readonly<Record<Status, number>>;
  /** Whether bulk strings in the answer are read as Buffers. Default false. */
  readonly buffers?: boolean;
  /** Says in the header which answer it gives. */
  readonly output: string;
  readonly body: string | ((status: Readonly<Record<Status, number>>) => string);
}

/** A status and the values behind it; without statuses, the answer itself. */
export type ScriptResult<Status extends string, Reply> = [Status] extends [never]
  ? Reply
  : { readonly status: Status; readonly values: Reply };

/** A script whose keys, arguments and statuses have names. */
export class DefinedScript<
  Key extends string,
  Args extends Record<string, ArgumentKind>,
  Status extends string,
  Reply,
> {
  /** The script as Redis gets it. */
  readonly script: Script<unknown>;
  readonly #definition: ScriptDefinition<Key, Args, Status>;
  readonly #keyNames: readonly string[];
  readonly #argNames: readonly string[];
  readonly #statuses: ReadonlyMap<unknown, Status> | undefined;

  constructor(definition: ScriptDefinition<Key, Args, Status>) {
    const { statuses } = definition;
    this.#definition = definition;
    this.#keyNames = definition.keys.map(localOf);
    this.#argNames = Object.keys(definition.args ?? {});
    const names = statuses && (Object.entries(statuses) as [Status, number][]);
    this.#statuses = names && new Map(names.map(([name, number]) => [number, name]));
    this.script = new Script(sourceOf(definition));
  }

  /** Types what stands behind the status, or the whole answer where there are no statuses. */
  returns<Typed>(): DefinedScript<Key, Args, Status, Typed> {
    return this as unknown as DefinedScript<Key, Args, Status, Typed>;
  }

  /** Runs it in one round trip.
   *  @throws Error where it answers a status that it does not name; whatever the script or Redis answers as an error. */
  run(
    redis: CommandConnection,
    keys: KeyValues<Key>,
    args: ArgumentValues<Args>,
    rest?: ScriptRest,
  ): Promise<ScriptResult<Status, Reply>> {
    const [allKeys, allArgs] = [this.#keysOf(keys, rest), this.#argsOf(args, rest)];
    const reply = this.#definition.buffers
      ? this.script.runForBuffers(redis, allKeys, allArgs)
      : this.script.run(redis, allKeys, allArgs);
    return this.#statuses ? reply.then((answer) => this.#read(answer)) : (reply as Promise<never>);
  }

  /** Makes a step of it, which a transport may do together with something else. */
  step<Result>(
    keys: KeyValues<Key>,
    args: ArgumentValues<Args>,
    read: (result: ScriptResult<Status, Reply>) => Result,
    rest?: ScriptRest,
  ): Step<Result> {
    const run = (answer: unknown): Result => read(this.#read(answer));
    return makeStep(this.script, this.#keysOf(keys, rest), this.#argsOf(args, rest), run);
  }

  #keysOf(keys: KeyValues<Key>, rest: ScriptRest | undefined): string[] {
    const values = keys as Readonly<Record<string, string | undefined>>;
    const named: string[] = [];
    for (const name of this.#keyNames) {
      const key = values[name];
      if (key === undefined) break;
      named.push(key);
    }
    return rest?.keys ? [...named, ...rest.keys] : named;
  }

  #argsOf(args: ArgumentValues<Args>, rest: ScriptRest | undefined): ScriptArgument[] {
    const named = encodeArguments(this.#argNames, args);
    return rest?.args ? [...named, ...rest.args] : named;
  }

  #read(answer: unknown): ScriptResult<Status, Reply> {
    if (!this.#statuses) return answer as ScriptResult<Status, Reply>;
    const isList = Array.isArray(answer);
    const number: unknown = isList ? answer[0] : answer;
    const status = this.#statuses.get(number);
    if (status === undefined) throw new Error(`The script ${this.#definition.name} answered ${String(number)}.`);
    return { status, values: isList ? answer.slice(1) : [] } as ScriptResult<Status, Reply>;
  }
}

/** Defines a script by the names of its keys, arguments and statuses.
 *  @throws RangeError where two of its names are the same, or a name is no name in Lua. */
export function defineScript<
  const Key extends string,
  const Args extends Record<string, ArgumentKind> = Record<never, never>,
  const Status extends string = never,
>(definition: ScriptDefinition<Key, Args, Status>): DefinedScript<Key, Args, Status, unknown[]> {
  return new DefinedScript(definition);
}

function sourceOf<Key extends string, Args extends Record<string, ArgumentKind>, Status extends string>(
  definition: ScriptDefinition<Key, Args, Status>,
): string {
  const { name, uses = [], keys, args = {}, restKeys, restArgs, statuses, output, body } = definition;
  const argNames = Object.keys(args);
  const locals = keys.map(localOf);
  checkNames(name, [...locals, ...argNames]);
  const firstOptional = keys.findIndex((key) => key.endsWith('?'));
  if (firstOptional >= 0 && (restKeys || !keys.slice(firstOptional).every((key) => key.endsWith('?')))) {
    throw new RangeError(`${name}: only the last keys can be left out.`);
  }
  const values = Object.entries(args).map(([, kind], i) => readArgument(i + 1, kind as ArgumentKind));
  const text = typeof body === 'string' ? body : body((statuses ?? {}) as Readonly<Record<Status, number>>);
  return [
    ...writeHeader(
      name,
      [...keys, ...(restKeys ? [`${restKeys} ...`] : [])],
      [...argNames, ...(restArgs ? [`${restArgs} ...`] : [])],
      output,
    ),
    ...declare(
      locals,
      locals.map((_, i) => `KEYS[${i + 1}]`),
    ),
    ...declare(argNames, values),
    ...(restKeys ? [`local ${firstOf(restKeys)} = ${keys.length + 1}`] : []),
    ...(restArgs ? [`local ${firstOf(restArgs)} = ${argNames.length + 1}`] : []),
    joinLua(uses),
    text.trim(),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Writes the comment at the head of a script: its name, input and output. */
export function writeHeader(name: string, keys: readonly string[], args: readonly string[], output: string): string[] {
  return [
    `-- ${name}`,
    `-- Input: KEYS ${keys.join(', ')}`,
    `--        ARGV ${args.join(', ') || 'none'}`,
    ...`Output: ${output}`.split('\n').map((line) => `-- ${line.trim()}`),
  ];
}

/** Orders named values as the script reads them. */
export function encodeArguments(
  names: readonly string[],
  args: Readonly<Record<string, ScriptArgument | boolean>>,
): ScriptArgument[] {
  // A loop, and no map: this is done for each operation of a store.
  const encoded: ScriptArgument[] = [];
  for (const name of names) {
    const value = args[name]!;
    encoded.push(typeof value === 'boolean' ? (value ? '1' : '') : value);
  }
  return encoded;
}

/** Reads an argument as its kind, in Lua. `position`: a number or an expression. */
export function readArgument(position: number | string, kind: ArgumentKind): string {
  const value = `ARGV[${position}]`;
  if (kind === 'number') return `tonumber(${value})`;
  return kind === 'flag' ? `${value} == '1'` : value;
}

/** Declares locals, in Lua. */
export function declare(names: readonly string[], values: readonly string[]): string[] {
  return names.length === 0 ? [] : [`local ${names.join(', ')} = ${values.join(', ')}`];
}

function localOf(key: string): string {
  return key.endsWith('?') ? key.slice(0, -1) : key;
}

function firstOf(name: string): string {
  return `first${name[0]!.toUpperCase()}${name.slice(1)}`;
}

const LUA_WORDS = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);

/** @throws RangeError where two names are the same, or one is no name in Lua. */
export function checkNames(script: string, names: readonly string[]): void {
  for (const [i, name] of names.entries()) {
    if (!/^[a-z]\w*$/i.test(name) || LUA_WORDS.has(name)) throw new RangeError(`${script}: ${name} is no name in Lua.`);
    if (names.indexOf(name) !== i) throw new RangeError(`${script}: ${name} stands twice.`);
  }
}
