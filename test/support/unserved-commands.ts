import { CANONICAL_COMMANDS, type CanonicalCommand } from '../../src/protocol/index.ts';
import type { Service } from '../../src/service/index.ts';
import { metricOf } from './metric-of.ts';

/** The commands that a service has not served yet: none, where a test says that it asks every command. */
export async function unservedCommands(service: Service): Promise<CanonicalCommand[]> {
  const counts = await Promise.all(
    CANONICAL_COMMANDS.map((command) => metricOf(service.metrics.requests, { command })),
  );
  return CANONICAL_COMMANDS.filter((_, i) => counts[i] === 0);
}
