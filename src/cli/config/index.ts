export type { Config } from './config.ts';
export { checkConfig, configSchema, readConfig, rulesOf, serviceOptionsOf } from './config.ts';
export { parseHttpAddress } from './http-address.ts';
export { rulesSchema } from './rules-schema.ts';
