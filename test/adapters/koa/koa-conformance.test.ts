import { testSessionStore } from '../session-store.suite.ts';
import { KOA } from './koa-under-test.ts';

testSessionStore(KOA);
