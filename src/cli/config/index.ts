export type { Config } from './config.ts';
export { checkConfig, configSchema, readConfig, serviceOptionsOf } from './config.ts';
export { parseHttpAddress } from './http-address.ts';
