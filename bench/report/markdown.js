const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A number as people read it: three digits, thousands with commas. */
export function written(value) {
  if (value === undefined) return '';
  const size = Math.abs(value);
  if (size >= 100) return NUMBER.format(value);
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** A table of Markdown: the heads, then rows of cells. Numbers stand to the right. */
export function table(heads, rows) {
  const isNumber = heads.map((_, i) => i > 0 && rows.every((row) => /^[\d,.\s()×-]*$/.test(String(row[i] ?? ''))));
  const line = (cells) => `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(isNumber.map((right) => (right ? '---:' : '---'))), ...rows.map(line)].join('\n');
}

/** Commands of Redis, as `2 publish + get`. */
export function commandsText(commands = {}) {
  const text = Object.entries(commands).map(([name, times]) => (times === 1 ? name : `${written(times)} ${name}`));
  return text.join(' + ') || 'none';
}
