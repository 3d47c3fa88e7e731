export type { Config } from './config.ts';
export { ConfigError, checkConfig, configSchema, readConfig, serviceOptionsOf } from './config.ts';
export { parseHttpAddress } from './http-address.ts';
