import type { SiteNow } from '../../knowledge/index.ts';
import type { DashboardView } from '../view.ts';

/** What happens on the site now. Services write their counts each second; read every half second, a view is shown within
 *  two. */
export const nowView: DashboardView<SiteNow> = {
  name: 'now',
  title: 'Now',
  everyMs: 500,
  read: ({ namespace }) => namespace.knowledge.site.read(),
};
