/** How long what is known of a subject is kept, by Redis's clock. */
export interface Retention {
  /** After the last message that writes, in seconds; moved at most once an hour. Default 30 days. */
  readonly seconds: number;
  /** After the first message, until a second view or a message a minute later, in seconds: bots and bounces. Default 30
   *  minutes. */
  readonly bounceSeconds: number;
}

/** The retention of a kind of subject, as scripts move it. */
export interface MovedRetention extends Retention {
  /** The longest pause between two moves of the expiry, in seconds; at most a 24th of `seconds`. Default an hour. */
  readonly renewSeconds?: number;
}

/** Whose record it is: a session can be claimed for a person, a person cannot. */
export type SubjectKind = 'session' | 'person';

/** How long what is known of a person is kept after the last message that writes, in seconds: 400 days. */
export const PERSON_SECONDS: number = 400 * 86_400;

/** The retention of persons: none is a bounce, and a day in 400 is negligible. */
export const PERSON_RETENTION: MovedRetention = {
  seconds: PERSON_SECONDS,
  bounceSeconds: PERSON_SECONDS,
  renewSeconds: 86_400,
};

/** The defaults of docs/reference/options.md. */
export const RETENTION_DEFAULTS: Retention = { seconds: 30 * 86_400, bounceSeconds: 30 * 60 };
