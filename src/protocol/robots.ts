import { excerpt } from './item.ts';
import { isObject } from './payload.ts';
import { ProtocolError } from './protocol-error.ts';

/** Payload and reply of `robots`: how many requests of robots a serving process has refused since its last message. */
export interface RefusedRobots {
  refused: number;
}

/** The most that one message can tell. */
export const MOST_REFUSED = 1_000_000;

/** Checks how many robots were refused.
 *  @throws ProtocolError `bad-payload`. */
export function checkRefusedRobots(value: unknown): RefusedRobots {
  const refused = isObject(value) ? value.refused : undefined;
  if (Number.isSafeInteger(refused) && (refused as number) >= 1 && (refused as number) <= MOST_REFUSED) {
    return { refused: refused as number };
  }
  throw new ProtocolError(
    'bad-payload',
    `The payload ${excerpt(value)} tells no robots: give {"refused":n}, n from 1 to 1,000,000.`,
  );
}
