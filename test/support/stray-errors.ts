import { onTestFinished } from 'vitest';

/** Collects what would end a process while a test runs: uncaught exceptions and unhandled rejections. */
export function collectStrayErrors(): unknown[] {
  const errors: unknown[] = [];
  const collect = (error: unknown): void => {
    errors.push(error);
  };
  process.on('uncaughtException', collect);
  process.on('unhandledRejection', collect);
  onTestFinished(() => {
    process.off('uncaughtException', collect);
    process.off('unhandledRejection', collect);
  });
  return errors;
}
