/* basket-line.ts: one line of a file of baskets. CSV: fields apart by a comma or another character, quoted as in RFC 4180 but
 * for line breaks within a field. JSON: an array of names, or an object with one as `items`. */

/** Reads the items of a line of CSV; undefined where a quotation mark is not closed, or is followed by text. */
export function parseCsvLine(line: string, delimiter: string): string[] | undefined {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    const begin = skipBlanks(line, at);
    const field = line[begin] === '"' ? readQuoted(line, begin) : readPlain(line, at, delimiter);
    if (!field) return undefined;
    const end = skipBlanks(line, field.end);
    if (end < line.length && line[end] !== delimiter) return undefined;
    fields.push(field.text);
    at = end + 1;
  }
  return fields;
}

function readPlain(line: string, from: number, delimiter: string): { readonly text: string; readonly end: number } {
  const found = line.indexOf(delimiter, from);
  const end = found < 0 ? line.length : found;
  return { text: line.slice(from, end), end };
}

function readQuoted(line: string, from: number): { readonly text: string; readonly end: number } | undefined {
  const parts: string[] = [];
  for (let at = from + 1; ; ) {
    const quote = line.indexOf('"', at);
    if (quote < 0) return undefined;
    parts.push(line.slice(at, quote));
    if (line[quote + 1] !== '"') return { text: parts.join('"'), end: quote + 1 };
    at = quote + 2;
  }
}

// A tab can be what parts the fields.
function skipBlanks(line: string, from: number): number {
  let at = from;
  while (line[at] === ' ') at += 1;
  return at;
}

/** Reads the items of a line of JSON; undefined where it is none, or its items are no texts or numbers. */
export function parseJsonLine(line: string): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const items = Array.isArray(value) ? value : (value as { items?: unknown } | null)?.items;
  if (!Array.isArray(items)) return undefined;
  if (!items.every((item) => typeof item === 'string' || typeof item === 'number')) return undefined;
  return items.map(String);
}
