import { randomBytes } from 'node:crypto';
import { NoticeRefusedError } from '../../knowledge/index.ts';
import {
  checkUserId,
  type NoticeAudience,
  type NoticeEdit,
  type NoticeToPublish,
  ProtocolError,
  personOf,
} from '../../protocol/index.ts';
import { checkNoticeEdit, checkNoticeToPublish, checkWithdrawal, isObject } from '../../protocol/internal/index.ts';
import type { DashboardAction } from '../view.ts';

/* write-notices.ts: the actions of the page of notices. A refusal begins with the name of the field in quotes, so the page says
 * it beside the field. */

/** Publishes a notice. `to`: a group, a segment, a subject, or `{"person": user id}`, which stands in no log. */
export const publish: DashboardAction<NoticeToPublish & { readonly id: string }> = {
  role: 'editor',
  parse: (input) =>
    checked(() => {
      const { to, id, ...fields } = isObject(input) ? input : {};
      return checkNoticeToPublish({ ...fields, to: audienceOf(to), id: id === undefined || id === '' ? newId() : id });
    }),
  describe: ({ id, to }) => ({ notice: id, to }),
  run: async ({ namespace: { knowledge } }, { to, ...notice }) => {
    const { isNew, at } = await refusable(() => knowledge.addressed.publish(to, notice));
    if (!isNew) throw new RangeError(`"id" ${notice.id} is there already in this list: give another one, or edit it.`);
    return { id: notice.id, at };
  },
};

/** Changes a notice wherever it stands; what was read stays read. */
export const edit: DashboardAction<NoticeEdit & { readonly id: string }> = {
  role: 'editor',
  parse: (input) => checked(() => checkNoticeEdit(input)),
  describe: ({ id, to }) => ({ notice: id, ...(to && { to }) }),
  run: async ({ namespace: { knowledge } }, { id, to, ...changes }) => {
    const lists = await refusable(() => knowledge.addressed.change(id, changes, to));
    if (lists === 0) throw new RangeError(`"id" ${id} stands nowhere any more: it was withdrawn.`);
    return { id, lists };
  },
};

/** Takes a notice away wherever it stands. */
export const withdraw: DashboardAction<ReturnType<typeof checkWithdrawal>> = {
  role: 'editor',
  parse: (input) => checked(() => checkWithdrawal(input)),
  describe: ({ id, to }) => ({ notice: id, ...(to && { to }) }),
  run: async ({ namespace: { knowledge } }, { id, to }) => ({
    id,
    lists: await knowledge.addressed.change(id, undefined, to),
  }),
};

function audienceOf(to: unknown): NoticeAudience | unknown {
  if (!isObject(to) || !('person' in to)) return to;
  try {
    return { subject: personOf(checkUserId(to.person)) };
  } catch (error) {
    throw new RangeError(`"to" cannot be used. ${(error as Error).message}`, { cause: error });
  }
}

function newId(): string {
  return `notice-${randomBytes(6).toString('hex')}`;
}

function checked<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof ProtocolError) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}

async function refusable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoticeRefusedError) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}
