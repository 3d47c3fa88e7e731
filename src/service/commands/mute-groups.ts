import { checkMuting, decodePayload } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Mutes groups for a visitor, or un-mutes them. */
export const muteGroups: Handler<'mute-groups'> = makeHandler({
  parse: (payload) => checkMuting(decodePayload(payload, '{"mute":["..."],"unmute":["..."]}')),
  items: ({ mute, unmute }) => mute.length + unmute.length,
  run: async ({ knowledge }, { subject }, { mute, unmute }, apply) => {
    await knowledge.notices.mute(subject, mute, unmute, apply);
    return { muted: mute, unmuted: unmute };
  },
});
