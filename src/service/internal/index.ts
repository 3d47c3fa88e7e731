/* What the command line needs of the service and users do not: `../index.ts` is the public subpath. */

export { evaluate } from '../rules/evaluation.ts';
export { ServedRules } from '../rules/served-rules.ts';
