/** What is asked over each way: page views of sessions with ids as long as real ones. */
export const SESSIONS = Array.from({ length: 2_000 }, (_, i) => i.toString(36).padStart(25, '0'));
export const PATHS = Array.from({ length: 12 }, (_, i) => `/articles/${2_000 + i}/a-page-of-the-benchmark`);

/** The session and the path of request number `i`. */
export function viewOf(i) {
  return [SESSIONS[i % SESSIONS.length], PATHS[Math.floor(i / SESSIONS.length + i) % PATHS.length]];
}

/** The key for items, for both sides. */
export const SECRET = 'the secret of the benchmark';

/** A request that waits so long has failed, in milliseconds. 512 connections take their time to open. */
export const DEADLINE_MS = 10_000;
