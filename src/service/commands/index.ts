import { type CanonicalCommand, canonicalCommand } from '../../protocol/index.ts';
import { active } from './active.ts';
import { combo } from './combo.ts';
import type { Handler } from './handler.ts';
import { identify } from './identify.ts';
import { markItemSeen } from './mark-item-seen.ts';
import { markNotificationSeen } from './mark-notification-seen.ts';
import { notifications } from './notifications.ts';
import { pageview } from './pageview.ts';
import { sessionAnalytics } from './session-analytics.ts';
import { surface } from './surface.ts';
import { makeTogether } from './together.ts';

type Handlers = { readonly [Name in CanonicalCommand]: Handler<Name> };

const single: Omit<Handlers, 'together'> = {
  pageview,
  active,
  'session-analytics': sessionAnalytics,
  combo,
  surface,
  notifications,
  'mark-notification-seen': markNotificationSeen,
  'mark-item-seen': markItemSeen,
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
