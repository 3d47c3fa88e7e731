import { printable, printableOnOneLine } from './printable.ts';

const LEVELS: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' };

/** Returns an entry of the log as text for a terminal: the time of day, the level, the message, then its fields. An error's
 *  stack follows on lines of its own. `entry`: a line of JSON, as pino writes it; returned as it is where it is none. */
export function terminalLine(entry: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(entry);
  } catch {
    return entry;
  }
  const { time, level, msg, ...others } = fields;
  const stacks: string[] = [];
  const named = Object.entries(others).map(([name, value]) => {
    const { stack, message } = (value ?? {}) as { stack?: unknown; message?: unknown };
    if (typeof stack === 'string') stacks.push(`\n  ${printable(stack).replaceAll('\n', '\n  ')}`);
    return ` ${name}=${printableOnOneLine(typeof stack === 'string' ? String(message) : textOf(value))}`;
  });
  const message = printableOnOneLine(String(msg ?? ''));
  return `${timeOfDay(time)} ${LEVELS[level as number] ?? level} ${message}${named.join('')}${stacks.join('')}\n`;
}

function timeOfDay(time: unknown): string {
  const at = new Date(typeof time === 'number' ? time : Number.NaN);
  return Number.isNaN(at.getTime()) ? '--:--:--' : at.toTimeString().slice(0, 8);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
