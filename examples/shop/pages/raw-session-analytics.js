// @ts-check

/** @import { Request, Response } from 'express' */

/** `/raw-session-analytics`: the footer's figures, and more. Counts as no view. @param {Request} request @param {Response} response */
export async function rawSessionAnalytics(request, response) {
  const handle = request.sessionwise;
  const analytics = await handle.figures();
  response.json({ state: analytics ? 'live' : 'degraded', session: handle.id ?? null, analytics: analytics ?? null });
}
