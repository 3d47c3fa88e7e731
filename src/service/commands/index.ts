import { type CanonicalCommand, canonicalCommand } from '../../protocol/index.ts';
import { active } from './active.ts';
import { combo } from './combo.ts';
import type { Handler } from './handler.ts';
import { identify } from './identify.ts';
import { listNotices, noticeStats, setGroup } from './list-notices.ts';
import { live } from './live.ts';
import { markItemSeen } from './mark-item-seen.ts';
import { markNotices } from './mark-notices.ts';
import { markNotificationSeen } from './mark-notification-seen.ts';
import { markSuggestions } from './mark-suggestions.ts';
import { muteGroups } from './mute-groups.ts';
import { noticeCounts, notices } from './notices.ts';
import { notifications } from './notifications.ts';
import { pageview } from './pageview.ts';
import { editNotice, publishNotice, withdrawNotice } from './publish-notice.ts';
import { robots } from './robots.ts';
import { segments } from './segments.ts';
import { sessionAnalytics } from './session-analytics.ts';
import { surface } from './surface.ts';
import { makeTogether } from './together.ts';
import { track } from './track.ts';

type Handlers = { readonly [Name in CanonicalCommand]: Handler<Name> };

const single: Omit<Handlers, 'together'> = {
  pageview,
  active,
  'session-analytics': sessionAnalytics,
  combo,
  segments,
  surface,
  notifications,
  notices,
  'notice-counts': noticeCounts,
  'mark-notices': markNotices,
  'mute-groups': muteGroups,
  'publish-notice': publishNotice,
  'edit-notice': editNotice,
  'withdraw-notice': withdrawNotice,
  'list-notices': listNotices,
  'notice-stats': noticeStats,
  'set-group': setGroup,
  live,
  'mark-notification-seen': markNotificationSeen,
  'mark-item-seen': markItemSeen,
  track,
  'mark-suggestions': markSuggestions,
  robots,
  identify,
};

/** The handler of every command. A command without one does not compile. */
export const handlers: Handlers = { ...single, together: makeTogether(single) };

/** Finds the handler of a command, by its first name or an alias. Undefined if no command has this name. */
export function findHandler(
  name: string,
): { readonly command: string; readonly handler: Handler<CanonicalCommand> } | undefined {
  const command = canonicalCommand(name);
  if (!Object.hasOwn(handlers, command)) return undefined;
  return { command, handler: handlers[command as CanonicalCommand] as Handler<CanonicalCommand> };
}
