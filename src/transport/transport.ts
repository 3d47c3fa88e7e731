import type { EventEmitter } from 'node:events';
import type { Apply } from '../redis/index.ts';
import type { Overlap } from './presence.ts';

/** Why a request has no answer. `error` is an error reply of the service. */
export type NoAnswerReason =
  /** The deadline passed. */
  | 'deadline'
  /** No instance serves this command and session, as far as is known. */
  | 'nobody-listens'
  /** Redis cannot be reached. */
  | 'disconnected'
  /** Too many requests wait already. */
  | 'overloaded'
  /** The stream of requests is full: it was not taken. */
  | 'backlog-full';

/** How a request ended: a reply's JSON, or why there is none. */
export type Outcome =
  | { readonly answered: true; readonly json: string }
  | {
      readonly answered: false;
      readonly reason: NoAnswerReason;
      /** Whether a service has it all the same, as far as is known: it may still be done. */
      readonly isTaken?: true;
    };

/** An outcome without an answer, per reason. */
export const NO_ANSWER: Readonly<Record<NoAnswerReason, Outcome>> = {
  deadline: { answered: false, reason: 'deadline' },
  'nobody-listens': { answered: false, reason: 'nobody-listens' },
  disconnected: { answered: false, reason: 'disconnected' },
  overloaded: { answered: false, reason: 'overloaded' },
  'backlog-full': { answered: false, reason: 'backlog-full' },
};

/** A deadline that passed for a request that a service was given. */
export const TAKEN_AND_LATE: Outcome = { answered: false, reason: 'deadline', isTaken: true };

/** The serving layer's side of a transport. Neither `publish` nor `request` ever rejects. */
export interface ClientTransport {
  /** Sends without waiting for an answer; settles when Redis has it. Whether an instance or a stream took it, as far as
   *  is known. */
  publish(command: string, session: string, payload: string): Promise<boolean>;
  /** Sends and waits at most `deadlineMs`. */
  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome>;
  /** Ends it: what waits settles without an answer. */
  close(): Promise<void>;
}

/** Events of a client's transport. */
export interface TransportEvents {
  /** No instance serves a request that was sent, as far as is known. */
  unserved: [];
  /** Connected to Redis. */
  up: [];
  /** Redis is away, or refuses what we need; it goes on trying. */
  down: [Error];
  /** Two instances of the service share sessions: their views count twice. */
  overlap: [Overlap];
}

/** A transport, as a client uses it. */
export interface SessionTransport extends ClientTransport, EventEmitter<TransportEvents> {
  /** Replies that came after their deadline, and were ignored. */
  readonly lateReplies: number;
  /** Waits until requests would be sent, at most `deadlineMs`. Whether they would. */
  ready(deadlineMs: number): Promise<boolean>;
  /** Whether a request of this command that was taken is done, whatever happens to the service. */
  isDurable(command: string): boolean;
  /** Sends a durable command, again and again until it is certainly taken or `deadlineMs` have passed. It counts once.
   *  @throws NotKeptError */
  sendDurably(command: string, session: string, payload: string, deadlineMs: number): Promise<void>;
  /** Whether all instances that would serve a command of this session now know it, and one at least is known. */
  serves(command: string, session: string): boolean;
  /** Whether a request takes the way of a `together` of its session now, and so may be a part of it. */
  joins(command: string, session: string): boolean;
  /** Names the peer (an instance or a partition) that would serve a request, as far as is known: failures are counted
   *  per peer. */
  peerOf(command: string, session: string): string;
  /** Whether a peer that was named is gone for good. */
  isGone(peer: string): boolean;
  /** Asks something that touches nothing, on the route of `command`. Whether an answer came within `deadlineMs`. */
  probe(command: string, session: string, deadlineMs: number): Promise<boolean>;
}

/** Result of serving a request. */
export interface Served {
  /** The reply's JSON, an error reply included. */
  readonly json: string;
  /** Why it is an error reply. */
  readonly error?: unknown;
}

/** The service's side: serves one request and gives its reply. Never rejects. `apply`: how the transport has writes
 *  done; by themselves unless it is given. */
export type Dispatch = (command: string, session: string, payload: string, apply?: Apply) => Promise<Served>;
