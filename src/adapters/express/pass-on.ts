/** Makes an object that was replaced a view of the one that replaced it: who still holds it reads, sets and saves what
 *  will be saved. */
export function passOn(before: object, after: object): void {
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
