/* What the command line needs of the service and users do not: `../index.ts` is the public subpath. */

export { checkCombos } from '../combos.ts';
