import { testSessionStore } from '../session-store.suite.ts';
import { HONO } from './hono-under-test.ts';

testSessionStore(HONO);
