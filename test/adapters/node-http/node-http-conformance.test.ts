import { testSessionStore } from '../session-store.suite.ts';
import { NODE_HTTP } from './node-http-under-test.ts';

testSessionStore(NODE_HTTP);
