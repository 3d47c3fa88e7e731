import { type CanonicalCommand, COMMAND_NAMES, canonicalCommand } from '../../protocol/index.ts';
import { combo } from './combo.ts';
import type { Handler } from './handler.ts';
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
  'session-analytics': sessionAnalytics,
  combo,
  surface,
  notifications,
  'mark-notification-seen': markNotificationSeen,
  'mark-item-seen': markItemSeen,
};

/** The handler of every command. A command without one does not compile. */
export const handlers: Handlers = { ...single, together: makeTogether(single) };

const FOUND = new Map(
  COMMAND_NAMES.map((name) => {
    const command = canonicalCommand(name);
    return [name as string, { command, handler: handlers[command] as Handler<CanonicalCommand> }];
  }),
);

/** Finds the handler of a command, by its first name or an alias. Undefined if no command has this name. */
export function findHandler(
  name: string,
): { readonly command: string; readonly handler: Handler<CanonicalCommand> } | undefined {
  return FOUND.get(name);
}
