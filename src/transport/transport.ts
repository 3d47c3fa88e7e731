/** Why a request has no answer. `error` is an error reply of the service. */
export type NoAnswerReason =
  /** The deadline passed. */
  | 'deadline'
  /** The server says that nobody listens for this command and session. */
  | 'nobody-listens'
  /** Redis cannot be reached. */
  | 'disconnected'
  /** Too many requests wait already. */
  | 'overloaded';

/** How a request ended: a reply's JSON, or why there is none. */
export type Outcome =
  | { readonly answered: true; readonly json: string }
  | { readonly answered: false; readonly reason: NoAnswerReason };

/** The serving layer's side of a transport. Neither method ever rejects. */
export interface ClientTransport {
  /** Sends without waiting for an answer; settles when Redis has it. Whether anybody took it, as far as is known. */
  publish(command: string, session: string, payload: string): Promise<boolean>;
  /** Sends and waits at most `deadlineMs`. */
  request(command: string, session: string, payload: string, deadlineMs: number): Promise<Outcome>;
  close(): Promise<void>;
}

/** The service's side: serves one request and gives the reply's JSON, an error reply included. Never rejects. */
export type Dispatch = (command: string, session: string, payload: string) => Promise<string>;
