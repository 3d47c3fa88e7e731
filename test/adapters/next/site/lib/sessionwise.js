import { browserScript, createSessionwise } from 'sessionwise/next';

// In place of the example's: options come from the test.
const { session: ofSession, script, ...options } = JSON.parse(process.env.SITE_OPTIONS);

export const sw = createSessionwise(options);
export const session = sw.session(ofSession);
export const sessionwise = sw.knowledge(script ? { script: browserScript() } : {});
