import { isIP } from 'node:net';

/** The names of this machine for itself, as they stand in Host. */
export const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** The name in a Host header, without the port and brackets, in lower case; undefined where it has none of the forms. */
export function nameOfHost(host: string | undefined): string | undefined {
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i.exec(host ?? '') ?? [];
  return name?.replace(/^\[|\]$/g, '').toLowerCase();
}

/** Whether an address belongs to this machine alone. */
export function isLoopback(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:/i, '');
  return plain !== undefined && (plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.')));
}

/** Whether a name that a server is told to listen on is this machine's alone. */
export function isLoopbackName(name: string): boolean {
  return name.toLowerCase() === 'localhost' || isLoopback(name);
}
