/** Lua functions and constants that several scripts share. */
export interface LuaText {
  /** Names the text in headers and errors. */
  readonly name: string;
  /** The texts that must stand before it. */
  readonly uses: readonly LuaText[];
  readonly source: string;
}

/** Defines a shared text. `uses` defaults to none. */
export function defineLua(text: Omit<LuaText, 'uses'> & { readonly uses?: readonly LuaText[] }): LuaText {
  return { uses: [], ...text };
}

/** Joins texts in the order in which they need each other, each once. `outside`: the texts that the script has at that
 *  place already, which are left out with all that they use; default none. A text that few calls need can so be defined
 *  in the branch that needs it: each definition costs a call some tenths of a microsecond.
 *  @throws RangeError where two texts have the same name. */
export function joinLua(texts: readonly LuaText[], outside: readonly LuaText[] = []): string {
  const joined = new Map<string, LuaText>();
  const add = (text: LuaText): void => {
    const known = joined.get(text.name);
    if (known === text) return;
    if (known) throw new RangeError(`Two Lua texts are named ${text.name}.`);
    for (const used of text.uses) add(used);
    joined.set(text.name, text);
  };
  for (const text of outside) add(text);
  const there = joined.size;
  for (const text of texts) add(text);
  return [...joined.values()]
    .slice(there)
    .map(({ source }) => source.trim())
    .join('\n');
}
