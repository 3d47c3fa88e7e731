import { unwatchFile, watchFile } from 'node:fs';
import { resolve } from 'node:path';
import { readNameOfRules } from '../rule-files/index.ts';
import type { CheckedRules } from '../rules/index.ts';
import type { Log, Service } from '../service/index.ts';
import { type Config, readConfig, rulesOf } from './config/index.ts';

/* followed-rules.ts: rules are read anew while the service runs. Files are polled: that sees a file which another one has taken
 * the place of, which editors and deployments do, and works on every file system. */

const POLL_MS = 1_000;
// Who writes a file in several steps has written it then.
const PAUSE_MS = 100;

/** The rules of a configuration file, followed while they change: whenever it, or the file of rules that it names, is
 *  changed or replaced, and on SIGHUP. Where the new ones cannot be used, the old ones stay, and the log says the place. In a
 *  terminal SIGHUP ends the process, as always. */
export class FollowedRules {
  readonly #file: string;
  readonly #log: Log;
  #service: Pick<Service, 'setRules'> | undefined;
  #rulesFile: string | undefined;
  // As they were read last.
  #known: string;
  #watched: string[] = [];
  #pause: NodeJS.Timeout | undefined;
  readonly #onChange = (): void => this.#readIn(PAUSE_MS);
  readonly #onHangUp = (): void => this.#read(true);

  /** `loaded`: the configuration as it was read. SIGHUP ends the process no more. */
  constructor(file: string, loaded: Config, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#rulesFile = loaded.rules;
    this.#known = JSON.stringify(rulesOf(loaded));
    if (!process.stdout.isTTY) process.on('SIGHUP', this.#onHangUp);
  }

  /** Gives new rules to a service from now on. */
  follow(service: Pick<Service, 'setRules'>): void {
    this.#service = service;
    this.#watch();
    // What has changed before the first look of the watch.
    this.#readIn(POLL_MS);
  }

  /** Ends it. */
  stop(): void {
    clearTimeout(this.#pause);
    this.#unwatch();
    process.off('SIGHUP', this.#onHangUp);
  }

  #watch(): void {
    this.#unwatch();
    this.#watched = [resolve(this.#file), ...(this.#rulesFile === undefined ? [] : [this.#rulesFile])];
    for (const each of this.#watched) watchFile(each, { interval: POLL_MS, persistent: false }, this.#onChange);
  }

  #unwatch(): void {
    for (const each of this.#watched) unwatchFile(each, this.#onChange);
  }

  #readIn(ms: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#read(false), ms).unref();
  }

  // Before the service runs, it is left to `follow`.
  #read(isAsked: boolean): void {
    if (!this.#service) return;
    try {
      // Before it is read: where it is wrong, it is followed until it is right.
      const rulesFile = readNameOfRules(this.#file);
      if (rulesFile !== this.#rulesFile) {
        this.#rulesFile = rulesFile;
        this.#watch();
      }
      const rules = rulesOf(readConfig(this.#file));
      const text = JSON.stringify(rules);
      if (text === this.#known && !isAsked) return;
      this.#service.setRules(rules);
      this.#known = text;
      this.#log.info(countsOf(rules), 'New rules.');
    } catch (error) {
      this.#log.error({ reason: (error as Error).message }, 'The new rules cannot be used: the old ones stay.');
    }
  }
}

function countsOf({ clusters, suggestions, segments }: CheckedRules): Record<string, number> {
  return {
    suggestions: suggestions.length,
    segments: Object.keys(segments).length,
    clusters: Object.keys(clusters).length,
  };
}
