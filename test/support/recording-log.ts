import type { Log } from '../../src/service/index.ts';

/** A log that keeps what was written. */
export class RecordingLog implements Log {
  readonly entries: { level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields: Record<string, unknown> }[] =
    [];

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message);
  }
  info(fields: object, message: string): void {
    this.#add('info', fields, message);
  }
  warn(fields: object, message: string): void {
    this.#add('warn', fields, message);
  }
  error(fields: object, message: string): void {
    this.#add('error', fields, message);
  }

  /** The entries whose message has `part` in it. */
  with(part: string): Record<string, unknown>[] {
    return this.entries.filter(({ message }) => message.includes(part)).map(({ fields }) => fields);
  }

  #add(level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void {
    this.entries.push({ level, message, fields: fields as Record<string, unknown> });
  }
}
