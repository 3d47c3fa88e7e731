import { constants } from 'node:os';
import { watchLauncher } from './watch-launcher.ts';

/** The wait of a process for its stop. */
export interface Stopping {
  /** Resolves with the reason: a signal's name, or `parent gone`. */
  readonly why: Promise<string>;
  /** Removes the listeners: signals have their default effect again. */
  release(): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Waits for SIGTERM, SIGINT or the end of a parent that this process must not outlive: a parent with an IPC channel,
 *  or the package manager that started this process. A second signal ends the process at once. */
export function untilStopped(): Stopping {
  let resolve: (reason: string) => void;
  const why = new Promise<string>((resolvePromise) => {
    resolve = resolvePromise;
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
