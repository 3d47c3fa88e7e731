import { cpSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DockerfileParser, JSONInstruction } from 'dockerfile-ast';

/** A stage of a Dockerfile, after its steps were done in a folder. */
export interface Stage {
  /** The folder that stands for the root of the image. */
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  user: string | undefined;
  /** The arguments of CMD and of HEALTHCHECK's CMD. */
  command: string[];
  healthcheck: string[];
}

/** Does the steps of a Dockerfile in folders, one a stage, without an image: what COPY and RUN name has to be there. A stage of
 *  a base image begins empty; the programs are this machine's.
 *  @throws Error for an instruction that it does not know, and what a step throws. */
export async function runDockerfile(
  text: string,
  context: string,
  folder: string,
  run: (command: string, stage: Stage) => Promise<unknown>,
): Promise<ReadonlyMap<string, Stage>> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((word) => word.getValue());
    if (keyword === 'ARG' || keyword === 'EXPOSE') continue;
    if (keyword === 'FROM') {
      const name = words.at(-1)!;
      stage = { root: join(folder, name), workdir: '/', env: {}, user: undefined, command: [], healthcheck: [] };
      mkdirSync(stage.root, { recursive: true });
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`${keyword} stands before the first FROM.`);
    if (keyword === 'WORKDIR') {
      stage.workdir = words[0]!;
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
    } else if (keyword === 'ENV') {
      for (const word of words) stage.env[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1);
    } else if (keyword === 'USER') stage.user = words[0];
    else if (keyword === 'COPY') copy(words, stage, flagOf(instruction.getTextContent(), 'from'), stages, context);
    else if (keyword === 'RUN') await run(instruction.getArgumentsContent()!, stage);
    else if (keyword === 'CMD') stage.command = jsonOf(instruction);
    else if (keyword === 'HEALTHCHECK') {
      const text = instruction.getTextContent();
      stage.healthcheck = JSON.parse(text.slice(text.indexOf('[')));
    } else throw new Error(`This test does not know ${keyword}.`);
  }
  return stages;
}

function jsonOf(instruction: unknown): string[] {
  if (!(instruction instanceof JSONInstruction))
    throw new Error('CMD needs the form of JSON: a shell passes no signal on.');
  return instruction.getJSONStrings().map((part) => JSON.parse(part.getValue()));
}

function flagOf(text: string, name: string): string | undefined {
  return new RegExp(`--${name}=(\\S+)`).exec(text)?.[1];
}

function copy(
  words: readonly string[],
  stage: Stage,
  from: string | undefined,
  stages: ReadonlyMap<string, Stage>,
  context: string,
): void {
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = join(stage.root, stage.workdir, paths.at(-1)!);
  const source = from === undefined ? context : stages.get(from)!.root;
  for (const path of paths.slice(0, -1)) {
    const found = join(source, path);
    // Of a folder its contents are copied; several sources need a folder.
    const into = !statSync(found).isDirectory() && paths.length > 2 ? join(target, basename(found)) : target;
    cpSync(found, paths.length === 2 && !statSync(found).isDirectory() ? join(target, basename(found)) : into, {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}
