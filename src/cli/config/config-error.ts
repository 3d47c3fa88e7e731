import { SessionwiseError } from '../../protocol/index.ts';

/** A configuration cannot be used; the message names the path of each wrong value. */
export class ConfigError extends SessionwiseError {
  override readonly code = 'CONFIG';
}
