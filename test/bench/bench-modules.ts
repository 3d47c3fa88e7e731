/** Loads a module of bench/, which is plain JavaScript, by its path in that folder. */
export async function benchModule(path: string) {
  return await import(new URL(`../../bench/${path}`, import.meta.url).href);
}
