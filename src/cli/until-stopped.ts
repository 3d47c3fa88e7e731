import { constants } from 'node:os';
import { watchLauncher } from './watch-launcher.ts';

/** A process that waits to be told to stop. */
export interface Stopping {
  /** Resolves with the reason: a signal's name, or `parent gone`. */
  readonly why: Promise<string>;
  /** Listens no longer: a signal does to this process again what it does to any. */
  release(): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Waits until this process is told to stop: SIGTERM, SIGINT, or the end of the parent that must not be outlived: one
 *  that holds an IPC channel, or a package manager that started us. A second signal ends the process at once. */
export function untilStopped(): Stopping {
  let resolve: (reason: string) => void;
  const why = new Promise<string>((settle) => {
    resolve = settle;
  });
  let isStopping = false;
  const stop = (reason: string): void => {
    isStopping = true;
    resolve(reason);
  };
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    if (isStopping) process.exit(128 + constants.signals[signal]);
    stop(signal);
  };
  const onParentGone = (): void => stop('parent gone');
  const unwatch = watchLauncher(onParentGone);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  if (process.connected) process.once('disconnect', onParentGone);
  return {
    why,
    release() {
      unwatch();
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off('disconnect', onParentGone);
    },
  };
}
