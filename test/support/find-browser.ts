import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** What a headless Chromium needs to run in a container, and to talk to nobody but us. */
export const BROWSER_ARGS: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A Chromium on the PATH; CHROMIUM_PATH overrides. undefined, and said on the console, where there is none.
 *  @throws Error instead where CI is set: there, browser tests must not be skipped. */
export function findBrowser(): string | undefined {
  const { CHROMIUM_PATH, PATH = '', CI } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const found = ['/usr/bin', ...PATH.split(delimiter)]
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(isExecutable);
  if (found) return found;
  const message =
    'No Chromium was found (chromium, chromium-browser, google-chrome): install one or set CHROMIUM_PATH.';
  if (CI) throw new Error(message);
  console.warn(`BROWSER TESTS ARE SKIPPED. ${message}`);
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
