import { normalizeItem } from '../../protocol/index.ts';
import { checkItem, isObject } from '../../protocol/internal/index.ts';
import type { DashboardAction } from '../view.ts';
import { checkSubjectId } from './find-subject.ts';

interface Probe {
  readonly subject: string;
  readonly item: string;
}

/** Says whether a subject has seen one item. An act of an operator and never automatic: with a list of all pages it would
 *  recover a history. Logged with the hashes of the item, which tell the item to nobody without the secret. */
export const probe: DashboardAction<Probe> = {
  role: 'operator',
  parse: (input) => {
    const { subject, item } = isObject(input) ? input : {};
    if (typeof item !== 'string' || item.trim() === '') throw new RangeError('"item" is empty: give a path or a name.');
    return { subject: checkSubjectId(subject), item: normalizeItem(checkedItem(item.trim())) };
  },
  describe: ({ subject }) => ({ subject }),
  run: async ({ namespace: { knowledge }, log }, { subject, item }, by) => {
    const reading = knowledge.read(subject);
    const hashes = { page: knowledge.items.of('page', item), item: knowledge.items.of('item', item) };
    log.info({ by, subject, page: hashes.page, item: hashes.item }, 'Looked whether a subject has seen an item.');
    const [page, marked] = await Promise.all([
      reading.hasSeen('page', [hashes.page]),
      reading.hasSeen('item', [hashes.item]),
    ]);
    return { viewed: page[0]!, marked: marked[0]! };
  },
};

function checkedItem(item: string): string {
  try {
    return checkItem(item);
  } catch (error) {
    throw new RangeError(`"item" cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
