/* load-service.ts: the one place where an adapter reaches the service. It is loaded at the first call and not with the
 * module: a site that does not ask for it loads nothing of it (test/architecture/borders.test.ts). */

/** Loads what runs, exports and erases a namespace. */
export function loadService(): Promise<typeof import('../service/index.ts')> {
  return import('../service/index.ts');
}
