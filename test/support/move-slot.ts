/** A master, as far as a slot's move needs it. */
export interface SlotOwner {
  readonly id: string;
  readonly host: string;
  readonly clusterPort: number;
  command<Reply = unknown>(...args: string[]): Promise<Reply>;
}

/** Moves a slot with its keys, as redis-cli does, and tells it to all masters. `halfway` is called when half of the keys
 *  (or more) have moved and the slot has not. */
export async function moveSlot(
  masters: readonly SlotOwner[],
  slot: number,
  from: SlotOwner,
  to: SlotOwner,
  halfway?: () => Promise<unknown>,
): Promise<void> {
  const setSlot = (node: SlotOwner, ...args: string[]): Promise<unknown> =>
    node.command('CLUSTER', 'SETSLOT', String(slot), ...args);
  await setSlot(to, 'IMPORTING', from.id);
  await setSlot(from, 'MIGRATING', to.id);
  const migrate = async (batch: number): Promise<number> => {
    const keys = await from.command<string[]>('CLUSTER', 'GETKEYSINSLOT', String(slot), String(batch));
    if (keys.length > 0) {
      await from.command('MIGRATE', to.host, String(to.clusterPort), '', '0', '5000', 'KEYS', ...keys);
    }
    return keys.length;
  };
  if (halfway !== undefined) {
    const count = await from.command<number>('CLUSTER', 'COUNTKEYSINSLOT', String(slot));
    await migrate(Math.max(1, Math.ceil(count / 2)));
    await halfway();
  }
  while ((await migrate(100)) > 0);
  // The one that takes it first: until it has it, it refuses what has no ASKING.
  await setSlot(to, 'NODE', to.id);
  await setSlot(from, 'NODE', to.id);
  for (const master of masters) if (master !== to && master !== from) await setSlot(master, 'NODE', to.id);
}
