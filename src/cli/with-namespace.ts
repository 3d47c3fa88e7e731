import { type Namespace, openNamespace } from '../service/index.ts';
import { type NamespaceFlags, resolveNamespace } from './namespace-options.ts';

/** Opens the namespace of the flags, runs `work` on it and closes it, also after a failure.
 *  `create`: whether to make a namespace that does not exist. */
export async function withNamespace<Result>(
  flags: NamespaceFlags,
  create: boolean,
  work: (namespace: Namespace) => Promise<Result>,
): Promise<Result> {
  const namespace = await openNamespace(resolveNamespace(flags), create);
  try {
    return await work(namespace);
  } finally {
    await namespace.redis.close();
  }
}
