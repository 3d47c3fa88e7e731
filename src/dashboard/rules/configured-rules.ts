import { dirname, join } from 'node:path';
import type { ItemHasher } from '../../knowledge/index.ts';
import { readNameOfRules, readRulesOfConfig } from '../../rule-files/index.ts';
import type { CheckedRules } from '../../rules/index.ts';
import { ServedRules } from '../../service/internal/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { perStore } from '../per-store.ts';

/** The rules of the configuration file that the dashboard was given: read for each look, because a service follows the same
 *  files while they change. */
export class ConfiguredRules {
  /** The path of the configuration file; undefined where none was given. */
  readonly config: string | undefined;
  readonly #items: ItemHasher;
  #known: { readonly text: string; readonly rules: CheckedRules; readonly served: ServedRules } | undefined;

  constructor(config: string | undefined, items: ItemHasher) {
    this.config = config;
    this.#items = items;
  }

  /** The file of rules that the configuration names; undefined where it names none, or none was given.
   *  @throws ConfigError where the configuration cannot be read. */
  get rulesFile(): string | undefined {
    return this.config === undefined ? undefined : readNameOfRules(this.config);
  }

  /** The file of drafts: `drafts.json` beside the configuration. */
  get draftsFile(): string | undefined {
    return this.config === undefined ? undefined : join(dirname(this.config), 'drafts.json');
  }

  /** Reads the rules; undefined where no configuration was given. They are compiled anew only where they have changed: that
   *  hashes each name.
   *  @throws ConfigError that names the file and the place. */
  read(): { readonly rules: CheckedRules; readonly served: ServedRules } | undefined {
    if (this.config === undefined) return undefined;
    const rules = readRulesOfConfig(this.config);
    const text = JSON.stringify(rules);
    if (this.#known?.text !== text) this.#known = { text, rules, served: new ServedRules(rules, this.#items) };
    return this.#known;
  }
}

/** The configured rules of a store: one object a store, so that its views share what is compiled. */
export const configuredRulesOf: (store: DashboardStore) => ConfiguredRules = perStore(
  (store) => new ConfiguredRules(store.config, store.namespace.knowledge.items),
);
