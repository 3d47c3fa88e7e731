import { isCommandName, isSession, parseRequestId, type ReplyRoute } from '../../protocol/index.ts';
import type { PayloadSeal } from './payload-seal.ts';
import { mayStandIn } from './stream-of.ts';

/* stream-entry.ts: a request as an entry of its partition's stream. Normative in docs/protocol.md.
 *
 * c  command
 * s  session
 * r  request id, as on channels; a request that is sent again under the same id counts once
 * p  payload, or e in its place: the payload sealed (`PayloadSeal`)
 * d  deadline of the reply, in milliseconds from the time in the entry's id; left out or 0: none
 * o  in place of d: the same, and the producer sends the request this one time, so its id need not be remembered */

/** A request as its entry holds it. */
export interface StreamRequest {
  readonly command: string;
  readonly session: string;
  readonly request: string;
  /** As it came: sealed or not. */
  readonly payload: string;
  readonly isSealed: boolean;
  /** In milliseconds from when it was added; 0: without end. */
  readonly deadlineMs: number;
  /** Whether its producer never sends it again. */
  readonly isOnce: boolean;
}

/** An entry that was read. */
export interface StreamEntry extends StreamRequest {
  readonly id: string;
  /** When it was added, in milliseconds of the epoch, by Redis's clock. */
  readonly addedAt: number;
  readonly replyRoute: ReplyRoute;
  /** Set where the entry is larger than may be served: how many bytes its fields have. Its payload was not read. */
  readonly bytes: number | undefined;
}

/** The fields of an entry, flat. */
export function encodeEntry(entry: StreamRequest): string[] {
  const { command, session, request, payload, isSealed, deadlineMs, isOnce } = entry;
  const fields = ['c', command, 's', session, 'r', request, isSealed ? 'e' : 'p', payload];
  if (isOnce || deadlineMs > 0) fields.push(isOnce ? 'o' : 'd', String(Math.ceil(deadlineMs)));
  return fields;
}

/** Reads an entry of a partition's stream. Undefined if it does not have the form (any producer may have written it),
 *  or if its session belongs to another stream. `streams`: how many streams take requests (stream-of.ts). `bytes`: set if
 *  it is too large; then its payload is not read. */
export function decodeEntry(
  partition: number,
  streams: number,
  id: string,
  fields: readonly string[],
  bytes?: number,
): StreamEntry | undefined {
  const found: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) found[fields[i]!] = fields[i + 1]!;
  const { c: command = '', s: session = '', r: request = '', p, e, o, d = o ?? '0' } = found;
  const payload = bytes === undefined ? (e ?? p) : '';
  const replyRoute = parseRequestId(request);
  if (!replyRoute || payload === undefined || !isCommandName(command) || !isSession(session) || !/^\d{1,9}$/.test(d)) {
    return undefined;
  }
  if (!mayStandIn(partition, session, streams)) return undefined;
  const isSealed = e !== undefined;
  const deadlineMs = Number(d);
  return {
    id,
    addedAt: millisecondsOf(id),
    command,
    session,
    request,
    payload,
    isSealed,
    replyRoute,
    deadlineMs,
    isOnce: o !== undefined,
    bytes,
  };
}

/** The milliseconds of an entry's id. */
export function millisecondsOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')));
}

/** The payload of a request in the clear.
 *  @throws PayloadDecryptionError where it cannot be opened. */
export function payloadOf(request: StreamRequest, seal: PayloadSeal): string {
  return request.isSealed ? seal.open(request, request.payload) : request.payload;
}
