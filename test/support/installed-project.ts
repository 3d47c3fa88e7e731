import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const NPM = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** A project of a user, with the packed package in its node_modules. */
export interface InstalledProject {
  readonly folder: string;
  /** Writes a file; folders are made. */
  write(file: string, text: string): void;
  /** Runs a program in the project, and returns what it printed.
   *  @throws Error with what it printed, where it fails. */
  run(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;
  /** Names of the installed packages. */
  packages(): string[];
  /** Bytes of all files below a folder of the project. */
  bytes(path: string): number;
  remove(): void;
}

/** Packs the package as it is built, and lets npm install it in a new project beside `packages`. It needs the registry. */
export function installProject(...packages: string[]): InstalledProject {
  const folder = mkdtempSync(join(tmpdir(), 'sw-installed-'));
  const project = describeProject(folder);
  try {
    execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', folder], {
      cwd: ROOT,
      stdio: 'pipe',
    });
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    project.write('package.json', '{"name":"site","version":"1.0.0","private":true}\n');
    execFileSync('npm', ['install', ...NPM, `./${tarball}`, ...packages], { cwd: folder, stdio: 'pipe' });
    return project;
  } catch (error) {
    project.remove();
    throw error;
  }
}

function describeProject(folder: string): InstalledProject {
  return {
    folder,
    write(file, text) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    },
    async run(program, args, env = {}) {
      // npm, which runs the tests, tells what it starts about this repository.
      const own = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$)/.test(name));
      const { stdout } = await promisify(execFile)(program, args, {
        cwd: folder,
        env: { ...Object.fromEntries(own), ...env },
        timeout: 120_000,
      }).catch(({ message, stdout: printed, stderr }) => {
        throw new Error(`${message}\n${printed}\n${stderr}`);
      });
      return stdout;
    },
    packages: () => {
      const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
      return Object.keys(lock.packages);
    },
    bytes: (path) =>
      (readdirSync(join(folder, path), { recursive: true }) as string[])
        .map((file) => statSync(join(folder, path, file)))
        .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
