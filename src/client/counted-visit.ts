import type { AnalyticsReply, PageviewReply } from '../protocol/index.ts';

/** Reads figures as what a visit was, where no view of the page is among them or the page was counted in by the service. */
export function visitOf(figures: AnalyticsReply | undefined): PageviewReply | undefined {
  if (!figures) return undefined;
  const { activeMinutes, firstActiveMinute, previouslyVisited = false, ...visit } = figures;
  return { ...visit, previouslyVisited };
}

/** Reads figures with which the page's view was counted already. `view`: what that view answered, for a visitor whose
 *  knowledge has become this subject's since. What only the moment before the view can tell (whether the page had been seen,
 *  whether this minute was active) is taken from it. */
export function visitWithCountedView(figures: AnalyticsReply, view: PageviewReply): PageviewReply {
  const { previouslyVisited, activityThisMinute } = view;
  const newToSite = figures.totalPages <= 1;
  const wasActive = activityThisMinute || figures.activity.some((minute) => minute === 1);
  const inactive = !newToSite && !wasActive;
  return { ...visitOf(figures)!, previouslyVisited, activityThisMinute, newToSite, inactive };
}
