import { Option } from 'commander';
import { UsageError } from './usage-error.ts';

/** Reads a share: `0.25` or `25%`, from 0 to 1. Undefined where the text is none. */
export function readShare(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text.replace(/\s/g, ''));
  if (!found) return undefined;
  const share = Number(found[1]) / (found[2] === '%' ? 100 : 1);
  return share <= 1 ? share : undefined;
}

/** Makes an option that takes a share. `flag`: as `--confidence <share>`. */
export function shareOption(flag: string, description: string): Option {
  return new Option(flag, description).argParser((text) => {
    const share = readShare(text);
    if (share !== undefined) return share;
    throw new UsageError(`${flag.split(' ')[0]} is "${text}": give a share as 0.25 or 25%.`);
  });
}
