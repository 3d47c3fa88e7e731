import { isPerson } from '../../protocol/index.ts';
import { SessionDataError } from '../../sessions/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { foundPeopleOf } from './found-people.ts';
import type { Devices } from './subject-data.ts';

const MOST_DEVICES = 100;

/** Finds the user of a subject: of a session in its record; of a person by what the dashboard was asked. Undefined where there
 *  is none, or it is not known.
 *  @throws SessionDataError where the record is encrypted and the dashboard has no keys. */
export async function userOf(store: DashboardStore, subject: string): Promise<string | undefined> {
  return isPerson(subject) ? foundPeopleOf(store).userOf(subject) : store.sessions.userOf(subject);
}

/** Lists the living sessions of the user of a subject, the last seen first. */
export async function readDevices(store: DashboardStore, subject: string): Promise<Devices> {
  try {
    const user = await userOf(store, subject);
    if (user === undefined) return { list: [], problem: whyNone(subject) };
    const sessions = await store.sessions.sessionsOf(user, { limit: MOST_DEVICES });
    const list = sessions.map(({ session, device, firstSeenAt, lastSeenAt, expiresAt }) => ({
      session,
      label: device ?? null,
      firstSeenAt,
      lastSeenAt,
      expiresAt,
      isThis: session === subject,
    }));
    return { list, problem: null };
  } catch (error) {
    if (!(error instanceof SessionDataError)) throw error;
    return { list: [], problem: error.message };
  }
}

function whyNone(subject: string): string {
  return isPerson(subject)
    ? 'Find the person by the user id to see the devices: the id of a person does not tell it.'
    : 'Nobody is logged in with this session.';
}
