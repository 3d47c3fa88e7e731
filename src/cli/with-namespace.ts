import { type Namespace, openNamespace } from '../service/index.ts';
import { type NamespaceFlags, resolveNamespace } from './namespace-options.ts';

/** Opens the namespace of the flags, runs `work` on it and closes it, also after a failure. No command makes a namespace: one
 *  that does not exist is refused. */
export async function withNamespace<Result>(
  flags: NamespaceFlags,
  work: (namespace: Namespace) => Promise<Result>,
): Promise<Result> {
  const namespace = await openNamespace(resolveNamespace(flags), false);
  try {
    return await work(namespace);
  } finally {
    await namespace.redis.close();
  }
}
