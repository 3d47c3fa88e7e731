import { type Namespace, openNamespace } from '../service/index.ts';
import { type NamespaceFlags, resolveNamespace } from './namespace-options.ts';

/** Opens the namespace that the flags name, does `work` with it and closes it again, whatever happens.
 *  `create`: whether a namespace that does not exist is made. */
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
