import { createSessionwise } from 'sessionwise/next';

export const sw = createSessionwise({
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  secret: process.env.SESSIONWISE_SECRET ?? 'change me: 32 random characters',
  service: 'inline',
});

/** In a page: `const { cart } = await session()`. */
export const session = sw.session();
/** In a page: `await (await sessionwise()).unseen([...])`. */
export const sessionwise = sw.knowledge();
