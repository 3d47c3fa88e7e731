/** A session as `load`, `find` or `save` returned it. Hand it back to later operations on the same session: a save then
 *  writes only the fields that changed since. It is opaque, because each operation updates its contents;
 *  `SessionData.valuesOf` and `infoOf` read it. */
export abstract class LoadedSession {
  // Makes the type nominal: no other object can be passed for it.
  declare protected readonly brand: never;
}
