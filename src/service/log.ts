/** Log of the service: the part of pino's interface that it uses. Never a token, a path or a payload. */
export interface Log {
  /** Logs what only helps to find a fault. */
  debug(fields: object, message: string): void;
  /** Logs what happens as it should: start, stop. */
  info(fields: object, message: string): void;
  /** Logs what an operator should look at. */
  warn(fields: object, message: string): void;
  /** Logs a fault. */
  error(fields: object, message: string): void;
}

/** Writes nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
