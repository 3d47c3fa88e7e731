import type { ListName, SubjectReading } from '../../knowledge/index.ts';
import { segmentsOf } from '../rules/segments-of.ts';
import type { CommandContext } from './handler.ts';

/** The lists that a subject sees: of the groups to which it belongs, and of the segments that hold for it. */
export async function listsOf(
  context: CommandContext,
  subject: SubjectReading,
  groups: readonly string[],
): Promise<ListName[]> {
  const { knowledge, rules } = context;
  const listed = await knowledge.notices.lists.haveLists(rules.current.compiled.segments.map(({ name }) => name));
  const holding = await segmentsOf(context, subject, listed, { groups });
  return [
    ...groups.map((name): ListName => ({ kind: 'group', name })),
    ...holding.map((name): ListName => ({ kind: 'segment', name })),
  ];
}
