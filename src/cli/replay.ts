import type { Command } from 'commander';

/** Placeholder of the running work. */
export function addReplayCommand(_program: Command): void {}
