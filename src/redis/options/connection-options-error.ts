/** The options describe no connection: a wrong URL, an unreadable or invalid connection file, a single server's address
 *  for a Cluster. */
export class ConnectionOptionsError extends Error {
  override readonly name = 'ConnectionOptionsError';
  readonly code = 'CONNECTION_OPTIONS';
}
