/* What the command line and the dashboard need of the service and users do not: `../index.ts` is the public subpath. */

export type { ExplainedPage } from '../rules/explain-subject.ts';
export { explainSubject } from '../rules/explain-subject.ts';
export { ServedRules } from '../rules/served-rules.ts';
