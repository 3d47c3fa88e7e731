import { combo } from './combo.ts';
import type { Command } from './command.ts';
import { featuredpages } from './featuredpages.ts';
import { markItemSeen } from './mark-item-seen.ts';
import { markNotificationSeen } from './mark-notification-seen.ts';
import { notifications } from './notifications.ts';
import { pageview } from './pageview.ts';
import { sessionAnalytics } from './session-analytics.ts';

const COMMANDS = [
  pageview,
  sessionAnalytics,
  combo,
  featuredpages,
  notifications,
  markNotificationSeen,
  markItemSeen,
] as unknown as readonly Command[];

/** Every command by each of its names. */
export const commandsByName: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)),
);
