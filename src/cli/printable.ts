const CONTROLS = /(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;
const CONTROLS_AND_BREAKS = /\p{C}|[\u2028\u2029]/gu;

/** Escapes characters that control a terminal as `\u009b`: control characters (C0 but for line feed and tab, DEL, C1)
 *  and those that change the direction of writing. JSON stays JSON. */
export function printable(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** Escapes line breaks as well, so that foreign text cannot imitate a line of this program's output. */
export function printableOnOneLine(text: string): string {
  return text.replace(CONTROLS_AND_BREAKS, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** Applies `printable` to the fields of a log entry; of an error, to its message and stack. */
export function printableFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, printableValue(value)]));
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(printableValue);
  if (!(value instanceof Error)) return value;
  return { type: value.name, message: printable(value.message), stack: printable(value.stack ?? '') };
}
