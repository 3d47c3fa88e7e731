import type { Happened } from '../../knowledge/index.ts';
import { checkTrack, decodePayload } from '../../protocol/internal/index.ts';
import { nameOfEventWith } from '../../rules/index.ts';
import { type Handler, makeHandler } from './handler.ts';

const EXPECTED = '{"event":"added-to-cart","count":1,"items":["/tv"]}';
/** Stands between an event and the name of this one; no name of a page has it. */
const SEPARATOR = '\0';

/** Notes that something happened, and of each item that it was about too. */
export const track: Handler<'track'> = makeHandler({
  parse: (payload) => checkTrack(decodePayload(payload, EXPECTED)),
  items: ({ items = [] }) => items.length,
  run: async (context, reading, { event, count = 1, items = [], at, once }, apply) => {
    const { knowledge, acceptTimes, views, suggestions } = context;
    const { subject } = reading;
    if (at !== undefined && !acceptTimes) context.timeIgnored();
    const nameOf = (name: string): Happened => ({ name: knowledge.items.of('event', name), count });
    const happened = [nameOf(event), ...items.map((item) => nameOf(nameOfEventWith(event, item)))];
    // An event and a view may have the same name of their own.
    const named = once === undefined ? undefined : `${event}${SEPARATOR}${once}`;
    if (named !== undefined && !views.begin(subject, named)) {
      const facts = await reading.facts();
      return { event, count: facts.get(happened[0]!.name)?.count ?? 0, dropped: 0 };
    }
    try {
      const noted = await knowledge.track(subject, happened, { at: acceptTimes ? at : undefined }, apply);
      suggestions.counted(reading, {
        facts: happened.map(({ name }, i) => ({ name, added: count, count: noted.counts[i]! })),
      });
      return { event, count: noted.counts[0]!, dropped: noted.dropped };
    } catch (error) {
      if (named !== undefined) views.forget(subject, named);
      throw error;
    }
  },
});
