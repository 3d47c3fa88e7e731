import { SessionwiseError } from '../../protocol/index.ts';

/** No Redis server was found and none could be installed; the message ends with the line that the user must type. */
export class RedisServerMissingError extends SessionwiseError {
  override readonly code = 'REDIS_SERVER_MISSING';
  /** The line to type, as it stands in the message. */
  readonly line: string;

  constructor(what: string, line: string, options?: ErrorOptions) {
    super(`${what} Type:\n  ${line}`, options);
    this.line = line;
  }
}
