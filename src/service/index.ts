export type { Combo } from './commands/command.ts';
export type { HttpAddress } from './http-server.ts';
export { HttpAddressError } from './http-server.ts';
export type { Log } from './log.ts';
export { silentLog } from './log.ts';
export { SecretMissingError } from './secret.ts';
export type { Service, ServiceOptions } from './start-service.ts';
export { startService } from './start-service.ts';
