// @ts-check
import { startShop } from './shop.js';

/* Starts the shop for itself: REDIS_URL, HOST, PORT, COOKIE_SECRET, ORIGIN and DEMO say how. */

const { REDIS_URL = 'redis://127.0.0.1:6379', HOST, PORT = '3379', COOKIE_SECRET, ORIGIN, DEMO } = process.env;

const shop = await startShop({
  redis: REDIS_URL,
  port: Number(PORT),
  ...(HOST && { host: HOST }),
  ...(COOKIE_SECRET && { cookieSecret: COOKIE_SECRET }),
  ...(ORIGIN && { origin: ORIGIN }),
  demo: DEMO === 'yes',
  log: console.log,
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void shop.close());
