/** Makes an object that was replaced a view of the one that replaced it: who still holds it reads and sets what will be
 *  saved. */
export function passOn(before: object, after: object): void {
  for (const name of Object.keys(before)) delete (before as Record<string, unknown>)[name];
  Object.setPrototypeOf(
    before,
    new Proxy(after, {
      get: (target, name) => Reflect.get(target, name),
      set: (target, name, value) => Reflect.set(target, name, value),
    }),
  );
}
