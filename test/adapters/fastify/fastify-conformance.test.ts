import { testSessionStore } from '../session-store.suite.ts';
import { FASTIFY } from './fastify-under-test.ts';

testSessionStore(FASTIFY);
