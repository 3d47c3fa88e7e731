import { ProtocolError } from './protocol-error.ts';

/** This service does not know the command; another version may. On channels it cannot occur: a service subscribes only to
 *  the commands that it knows. */
export class UnknownCommandError extends ProtocolError {
  override readonly code = 'UNKNOWN_COMMAND';

  constructor() {
    super('bad-payload', 'There is no such command.');
  }
}
