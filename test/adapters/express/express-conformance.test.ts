import { testSessionStore } from '../session-store.suite.ts';
import { EXPRESS } from './express-under-test.ts';

testSessionStore(EXPRESS);
