import type { CommandMap } from '../protocol/index.ts';
import {
  checkGroupSetting,
  checkList,
  checkMuting,
  checkNoticeEdit,
  checkNoticeId,
  checkNoticesMark,
  checkNoticesOf,
  checkNoticesQuery,
  checkNoticeToPublish,
  checkOfGroups,
  checkWithdrawal,
  decodePayload,
} from '../protocol/internal/index.ts';
import {
  checkCounts,
  checkEdited,
  checkGroupSet,
  checkListed,
  checkLive,
  checkMarked,
  checkMuted,
  checkNotices,
  checkPublished,
  checkStats,
} from './notice-reply-forms.ts';
import type { PreparedCommand } from './prepared-command.ts';

/* prepare-notices.ts: the commands about notices, made ready to be sent by the checks of the service. */

type NoticeCommand =
  | 'notices'
  | 'notice-counts'
  | 'mark-notices'
  | 'mute-groups'
  | 'publish-notice'
  | 'edit-notice'
  | 'withdraw-notice'
  | 'list-notices'
  | 'notice-stats'
  | 'set-group'
  | 'live';

/** How each is made ready. */
export const PREPARE_NOTICES: {
  readonly [C in NoticeCommand]: (payload: CommandMap[C]['payload']) => PreparedCommand<CommandMap[C]['reply']>;
} = {
  notices: (payload) => {
    const { groups, unreadOnly, limit, before } = checkNoticesQuery(decoded(payload, GROUPS));
    const asked = { groups, ...(unreadOnly && { unreadOnly }), limit, before };
    return ready(asked, checkNotices, groups.length);
  },
  'notice-counts': (payload) => {
    const groups = checkOfGroups(decoded(payload, GROUPS));
    return ready({ groups }, checkCounts, groups.length);
  },
  live: (payload) => {
    const groups = checkOfGroups(decoded(payload, GROUPS));
    return ready({ groups }, checkLive, groups.length);
  },
  'mark-notices': (payload) => {
    const checked = checkNoticesMark(decoded(payload, '{"ids":[...],"as":"read"}'));
    const { length } = 'ids' in checked ? checked.ids : checked.groups;
    return ready(checked, (reply) => checkMarked(reply, checked.as), length);
  },
  'mute-groups': (payload) => {
    const { mute, unmute } = checkMuting(decoded(payload, '{"mute":[...]}'));
    return ready({ mute, unmute }, checkMuted, mute.length + unmute.length);
  },
  'publish-notice': (payload) => {
    const notice = checkNoticeToPublish(decoded(payload, '{"to":{...},"id":"...","text":"..."}'));
    return ready(notice, (reply) => checkPublished(reply, notice.id));
  },
  'edit-notice': (payload) => {
    const edit = checkNoticeEdit(decoded(payload, '{"id":"...","text":"..."}'));
    return ready(edit, (reply) => checkEdited(reply, edit.id));
  },
  'withdraw-notice': (payload) => {
    const name = checkWithdrawal(decoded(payload, '{"id":"..."}'));
    return ready(name, (reply) => checkEdited(reply, name.id));
  },
  'list-notices': (payload) => ready(checkNoticesOf(decoded(payload, '{"of":{...}}')), checkListed),
  'notice-stats': (payload) => {
    const ids = checkList(decoded(payload, 'a JSON array of ids'), 'a JSON array of ids').map(checkNoticeId);
    return ready(ids, (reply) => checkStats(reply, ids), ids.length);
  },
  'set-group': (payload) => {
    const setting = checkGroupSetting(decoded(payload, '{"group":"...","join":"now"}'));
    return ready(setting, (reply) => checkGroupSet(reply, setting));
  },
};

const GROUPS = '{"groups":[...]}';

function decoded(payload: unknown, expected: string): unknown {
  return payload === '' ? '' : decodePayload(payload, expected);
}

function ready<Reply>(payload: unknown, read: (reply: unknown) => Reply, items = 0): PreparedCommand<Reply> {
  return { text: JSON.stringify(payload), isJson: true, items, read };
}
