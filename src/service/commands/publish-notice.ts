import { NoticeRefusedError } from '../../knowledge/index.ts';
import { ProtocolError } from '../../protocol/index.ts';
import {
  checkNoticeEdit,
  checkNoticeToPublish,
  checkWithdrawal,
  decodePayload,
} from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/* publish-notice.ts: writing notices. These commands are about lists and not about the session under which they are asked;
 * asked again, they do nothing more. */

/** Publishes a notice. */
export const publishNotice: Handler<'publish-notice'> = makeHandler({
  parse: (payload) => checkNoticeToPublish(decodePayload(payload, '{"to":{...},"id":"...","text":"..."}')),
  run: async ({ knowledge }, _, { to, ...notice }) => {
    return { id: notice.id, ...(await refusable(() => knowledge.addressed.publish(to, notice))) };
  },
});

/** Changes a notice in all lists that hold it, or one subject's. */
export const editNotice: Handler<'edit-notice'> = makeHandler({
  parse: (payload) => checkNoticeEdit(decodePayload(payload, '{"id":"...","text":"..."}')),
  run: async ({ knowledge }, _, { id, to, ...changes }) => {
    return { id, lists: await refusable(() => knowledge.addressed.change(id, changes, to)) };
  },
});

/** Takes a notice out of all lists that hold it, or from one subject. */
export const withdrawNotice: Handler<'withdraw-notice'> = makeHandler({
  parse: (payload) => checkWithdrawal(decodePayload(payload, '{"id":"..."}')),
  run: async ({ knowledge }, _, { id, to }) => ({
    id,
    lists: await knowledge.addressed.change(id, undefined, to),
  }),
});

async function refusable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoticeRefusedError) throw new ProtocolError('bad-payload', error.message, { cause: error });
    throw error;
  }
}
