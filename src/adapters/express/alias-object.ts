/** Makes an object that was replaced an alias of its successor. Code that still has the old object then reads, sets and
 *  saves the new one. */
export function aliasObject(before: object, after: object): void {
  for (const name of Reflect.ownKeys(before)) Reflect.deleteProperty(before, name);
  Object.setPrototypeOf(
    before,
    new Proxy(after, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: (target, name, value) => Reflect.set(target, name, value),
    }),
  );
}
