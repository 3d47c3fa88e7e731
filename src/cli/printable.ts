const CONTROLS = /(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** A text that does nothing to a terminal: control characters (C0 but for line feed and tab, DEL, C1) and those that turn
 *  the direction of writing stand as `\u009b`. JSON stays JSON. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The fields of a log entry, likewise. Of an error its message and stack. */
export function printableFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, printableValue(value)]));
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(printableValue);
  if (!(value instanceof Error)) return value;
  return { type: value.name, message: printable(value.message), stack: printable(value.stack ?? '') };
}
