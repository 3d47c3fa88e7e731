// @ts-check

const MOST_TRIES = 20;

/**
 * Writes fields of a session at once (`undefined` removes one), whoever else changes it at the same time. For what must
 * be there when the browser is sent on: express-session saves behind the answer, and a store that fails open says
 * nothing where that was in vain.
 * @param {import('express').Request['session']} session
 * @param {Parameters<import('express').Request['session']['setIf']>[1]} values
 * @throws where Redis is away, or the session has ended
 */
export async function writeNow(session, values) {
  let outcome = await session.setIf(session.info()?.version ?? 0, values);
  for (let tries = 1; !outcome.applied && tries < MOST_TRIES; tries++) {
    outcome = await session.setIf(outcome.version, values);
  }
  if (!outcome.applied) throw Object.assign(new Error('Others changed the session all the time.'), { status: 409 });
}
