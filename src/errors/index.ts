/* All codes: of errors, and of process warnings. docs/errors.md says of each what to do. */

export type { SessionwiseErrorCode, SessionwiseWarningCode } from '../protocol/internal/index.ts';
export { ERROR_CODES, WARNING_CODES } from '../protocol/internal/index.ts';
