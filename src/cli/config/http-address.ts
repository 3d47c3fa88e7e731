import type { HttpAddress } from '../../service/index.ts';

/** Reads `[HOST:]PORT`. Default host 127.0.0.1, so that metrics are not public by accident. Port 0 takes a free port.
 *  @throws RangeError that shows the value. */
export function parseHttpAddress(text: string): HttpAddress {
  const parts = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  if (!parts || port > 65535)
    throw new RangeError(`The address "${text}" is not one: give PORT or HOST:PORT, for instance 9464.`);
  return { host: (parts[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}
