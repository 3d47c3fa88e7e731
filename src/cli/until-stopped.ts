/** Waits until this process is told to stop: SIGTERM, SIGINT, or, where a parent holds an IPC channel, the parent's end
 *  (a child must not outlive a parent that was killed). A second signal ends the process at once. Returns why. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    const stop = (why: string): void => {
      process.once('SIGTERM', () => process.exit(143));
      process.once('SIGINT', () => process.exit(130));
      resolve(why);
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    if (process.connected) process.once('disconnect', () => resolve('parent gone'));
  });
}
