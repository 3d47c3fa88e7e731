import { isObject } from '../../protocol/internal/index.ts';
import type { DashboardAction } from '../view.ts';
import { checkSubjectId } from './find-subject.ts';
import { userOf } from './read-devices.ts';

interface Ending {
  /** The subject whose page it is done on. */
  readonly subject: string;
  /** The session to end. */
  readonly session: string;
}

/** Ends a session: one of the user's whose page it is, or the session itself. The next request of its browser is nobody's. */
export const endSession: DashboardAction<Ending> = {
  role: 'operator',
  parse: (input) => {
    const { subject, session } = isObject(input) ? input : {};
    return { subject: checkSubjectId(subject), session: checkSubjectId(session) };
  },
  describe: ({ subject, session }) => ({ subject, session }),
  run: async (store, { subject, session }) => {
    if (session === subject) return { ended: await store.sessions.end({ session }, 'by-user') };
    const user = await userOf(store, subject);
    if (user === undefined)
      throw new RangeError('The user is not known any more: find the person by the user id again.');
    return { ended: await store.sessions.endSession(user, session) };
  },
};
