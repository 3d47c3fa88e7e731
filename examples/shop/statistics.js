// @ts-check
/* statistics.js: what a page shows of a visit, from either of the two answers that tell it. */

/** @typedef {object} Statistics
 *  @property {number} totalPages
 *  @property {number} uniquePages
 *  @property {boolean[]} minutes T-5 to T-1, and now.
 *  @property {'new' | 'back' | undefined} welcome */

/**
 * What the visit was before this page, but for the counts, which include it. Now is active, by this very page.
 * @param {import('sessionwise').PageviewReply | undefined} view
 * @returns {Statistics | undefined}
 */
export function fromView(view) {
  return (
    view && {
      totalPages: view.totalPages,
      uniquePages: view.uniquePages,
      minutes: [...view.activity.map(Boolean), true],
      welcome: view.newToSite ? 'new' : view.inactive ? 'back' : undefined,
    }
  );
}

/**
 * The answer to `session-analytics`: as it is now.
 * @param {import('sessionwise').AnalyticsReply | undefined} analytics
 * @returns {Statistics | undefined}
 */
export function fromAnalytics(analytics) {
  return (
    analytics && {
      totalPages: analytics.totalPages,
      uniquePages: analytics.uniquePages,
      minutes: [...analytics.activity.map(Boolean), analytics.activityThisMinute],
      welcome: undefined,
    }
  );
}
