import { Option } from 'commander';
import { UsageError } from './usage-error.ts';

/** Makes an option that takes a whole number, and says so in its description. `flag`: as `--limit <n>`. */
export function numberOption(flag: string, description: string, from: number, to: number): Option {
  return new Option(flag, `${description} (${from} to ${to})`).argParser((text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new UsageError(`${flag.split(' ')[0]} is "${text}": give a whole number from ${from} to ${to}.`);
  });
}
