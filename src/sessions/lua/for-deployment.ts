import type { ArgumentKind, DefinedScript, LuaText } from '../../redis/index.ts';
import { expiryInClusterLua, expiryLua } from './expiry-lua.ts';
import { finishInClusterLua, finishLua } from './finish-lua.ts';

/** Parts of a script that differ between one server and a Cluster. */
interface Deployment {
  readonly isCluster: boolean;
  /** `expiryLua` in this form. */
  readonly expiry: LuaText;
  /** `finishLua` in this form. */
  readonly finish: LuaText;
}

/** A script in two forms: for one server, which has all keys, and for a Cluster, where a step reaches one slot only. */
export interface DeploymentScript<Script> {
  /** The form for a connection. */
  for(connection: { readonly isCluster: boolean }): Script;
}

/** Defines a script in two forms. In a Cluster a script of several keys gets `Keys.absent` as its last one. */
export function forDeployment<
  Key extends string,
  Args extends Record<string, ArgumentKind>,
  Status extends string,
  Reply,
>(
  define: (deployment: Deployment) => DefinedScript<Key, Args, Status, Reply>,
): DeploymentScript<DefinedScript<Key, Args, Status, Reply>> {
  const onOneServer = define({ isCluster: false, expiry: expiryLua, finish: finishLua });
  const inCluster = define({ isCluster: true, expiry: expiryInClusterLua, finish: finishInClusterLua });
  return { for: ({ isCluster }) => (isCluster ? inCluster : onOneServer) };
}
