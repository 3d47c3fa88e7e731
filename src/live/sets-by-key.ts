/** Adds a member to the set of a key. */
export function put<Key, Member>(map: Map<Key, Set<Member>>, key: Key, member: Member): void {
  const set = map.get(key);
  if (set) set.add(member);
  else map.set(key, new Set([member]));
}

/** Takes a member from the set of a key, and an empty set from the map. */
export function drop<Key, Member>(map: Map<Key, Set<Member>>, key: Key, member: Member): void {
  const set = map.get(key);
  set?.delete(member);
  if (set?.size === 0) map.delete(key);
}
