import { testSessionStore } from '../session-store.suite.ts';
import { EXPRESS_4 } from './express-under-test.ts';

testSessionStore(EXPRESS_4);
