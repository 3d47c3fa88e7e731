import { SessionwiseError } from '../../protocol/index.ts';

/** Others write a record all the time, so that nothing could be merged. Later it can. */
export class ContendedError extends SessionwiseError {
  readonly code = 'CONTENDED';
}
