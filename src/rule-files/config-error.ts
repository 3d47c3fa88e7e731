import { SessionwiseError } from '../protocol/index.ts';

/** Thrown for an unusable configuration. The message names the path of each wrong value. */
export class ConfigError extends SessionwiseError {
  override readonly code = 'CONFIG';
}
