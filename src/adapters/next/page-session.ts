import type { SessionLifecycle, SessionOperations, WebSession } from '../index.ts';

const WRITING = [
  'rotate',
  'identify',
  'increment',
  'append',
  'setIf',
  'save',
  'regenerate',
  'destroy',
] as const satisfies readonly (keyof SessionOperations | keyof SessionLifecycle)[];

/** Makes what a page sees of its session: its fields, `info` and `isDegraded`. Any change throws, because a server component
 *  can set no cookie and a change would be lost without a word: freezing it would not, in code that is not strict. Values within
 *  the fields are not watched. */
export function pageSession(session: WebSession): object {
  const operations = Object.create(Object.prototype, {
    info: { value: () => session.info() },
    isDegraded: { value: () => session.isDegraded() },
    ...Object.fromEntries(WRITING.map((verb) => [verb, { value: async () => refuse(verb) }])),
  }) as object;
  const fields = Object.create(operations, Object.getOwnPropertyDescriptors(session)) as object;
  return new Proxy(fields, { set: refuseField, deleteProperty: refuseField, defineProperty: refuseField });
}

function refuseField(_: object, name: string | symbol): never {
  return refuse(String(name));
}

function refuse(name: string): never {
  throw new TypeError(`${name}: a page only reads its session. Change it in sw.action() or sw.route().`);
}
