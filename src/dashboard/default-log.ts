import { pino } from 'pino';
import type { Log } from '../service/index.ts';

/** JSON lines on standard error: what is done on a dashboard, and what it refuses, must not be lost by default. */
export function defaultLog(): Log {
  return pino({ base: null }, pino.destination({ dest: 2, sync: true }));
}
