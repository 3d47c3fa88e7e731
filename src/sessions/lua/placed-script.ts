import { Script } from '../../redis/index.ts';
import { ENDS_IN_CLUSTER_LUA, ENDS_LUA, FINISH_IN_CLUSTER_LUA, FINISH_LUA } from './ends-lua.ts';

/** What a script is put together from, where it is to run. */
export interface ScriptPlace {
  readonly isCluster: boolean;
  /** ENDS_LUA in the place's form. */
  readonly ends: string;
  /** FINISH_LUA in the place's form. */
  readonly finish: string;
}

/** A script in two forms: for a server that has all keys, and for a Cluster, where a step reaches one slot only. In a
 *  Cluster a script of several keys is given `Keys.absent` as its last. */
export class PlacedScript<Reply> {
  readonly #alone: Script<Reply>;
  readonly #inCluster: Script<Reply>;

  constructor(write: (place: ScriptPlace) => string) {
    this.#alone = new Script(write({ isCluster: false, ends: ENDS_LUA, finish: FINISH_LUA }));
    this.#inCluster = new Script(write({ isCluster: true, ends: ENDS_IN_CLUSTER_LUA, finish: FINISH_IN_CLUSTER_LUA }));
  }

  /** The form for a connection. */
  for({ isCluster }: { readonly isCluster: boolean }): Script<Reply> {
    return isCluster ? this.#inCluster : this.#alone;
  }
}
