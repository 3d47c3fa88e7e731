/** The codes of all process warnings that Sessionwise emits outside production, and what each means. */
export const WARNING_CODES = {
  SESSIONWISE_CONSUMER_WAITS: 'A consumer of events has waited five seconds for Redis: it goes on trying.',
  SESSIONWISE_INLINE_FAILED: 'The service in the serving process could not be started: it is tried again.',
  SESSIONWISE_INSECURE_REQUEST: 'A session with a secure cookie was asked for over http: its cookie is not sent.',
  SESSIONWISE_LIVE_REFUSED: 'Redis refuses what live streams read: pages that listen are told nothing.',
  SESSIONWISE_MIRROR_FAILED: 'A session was saved, but its copy for connect-redis was not.',
  SESSIONWISE_NOBODY_SERVES: 'No service has answered for two seconds: pages go on without answers.',
  SESSIONWISE_OVERLAP: 'Two instances of the service share sessions: their views count twice.',
  SESSIONWISE_USER_TOO_LATE: 'Who is logged in was known behind the middleware only: pages ask as a visitor.',
} as const satisfies Readonly<Record<string, string>>;

/** A code of a process warning. */
export type SessionwiseWarningCode = keyof typeof WARNING_CODES;
