import { isPerson, isSession, ProtocolError } from '../../protocol/index.ts';
import { excerpt } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Merges what is known of a session into what is known of the person that is asked as. Asked again, it does nothing. */
export const identify: Handler<'identify'> = makeHandler({
  parse: (payload) => {
    if (typeof payload !== 'string' || !isSession(payload)) {
      throw new ProtocolError('bad-payload', `${excerpt(payload)} is no session: give the id of the one to merge.`);
    }
    if (isPerson(payload)) {
      throw new ProtocolError('bad-payload', 'A person is never merged into another one: give the id of a session.');
    }
    return payload;
  },
  run: async ({ knowledge }, { subject }, from) => {
    if (!isPerson(subject)) {
      throw new ProtocolError('bad-payload', 'identify is asked as a person: make the id with personOf(userId).');
    }
    const isNew = await knowledge.people.identify(subject, from);
    if (isNew) await knowledge.notices.events.merged(knowledge.read(from).subject, subject);
    return { from, merged: true };
  },
});
