import type { CommandConnection } from '../../redis/index.ts';
import { isEnded, SHORT_HEADER } from './record-header.ts';

/** State of a session's record. `present`: it has not ended, though its time may be over; `ended`: its header is kept. */
export type RecordState = 'absent' | 'present' | 'ended';

/** Reads the state of the record at a key, from its first bytes.
 *  @throws Redis's error, WRONGTYPE where the key holds other data. */
export async function readRecordState(redis: CommandConnection, key: string): Promise<RecordState> {
  const start = await redis.commandForBuffers<Buffer>('GETRANGE', key, '0', String(SHORT_HEADER - 1));
  if (start.length === 0) return 'absent';
  return isEnded(start) ? 'ended' : 'present';
}
