import { type Capabilities, type FilterEngine, type Meta, MetaMismatchError } from '../redis/index.ts';

/** Which engine keeps the seen filters: the namespace's own where it exists already; else the wanted one; and for
 *  `auto` the portable one, which every server can hold (docs/adr/0003).
 *  @throws MetaMismatchError where the engine is native and the server has no `BF.*`. */
export function chooseEngine(
  wanted: FilterEngine | 'auto',
  server: Capabilities,
  meta: Meta | undefined,
): FilterEngine {
  const engine = wanted === 'auto' ? (meta?.filter ?? 'portable') : wanted;
  if (engine === 'native' && !server.bloom) {
    throw new MetaMismatchError(
      'WRONG_FORMAT',
      `The native filter engine needs a server with BF.* commands, and this one (${server.flavour} ${server.version}) has none: set "filter.engine" to "portable" with a new --namespace, or use such a server.`,
    );
  }
  return engine;
}
