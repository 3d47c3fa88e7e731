import { SessionwiseError } from '../protocol/index.ts';

/** Redis holds no such namespace. */
export class NamespaceUnknownError extends SessionwiseError {
  override readonly code = 'NAMESPACE_UNKNOWN';
}
