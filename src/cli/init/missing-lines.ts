/** Returns what has to be added to the end of a text, so that it has all of these lines; empty where it has them. `isThere`:
 *  whether a line of the text does for one of them. Default: it is the same, but for blanks around it. */
export function missingLines(
  text: string,
  lines: readonly string[],
  isThere: (has: string, line: string) => boolean = (has, line) => has.trim() === line,
): string {
  const present = text.split('\n');
  const missing = lines.filter((line) => !present.some((has) => isThere(has, line)));
  if (missing.length === 0) return '';
  const begin = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${begin}${missing.join('\n')}\n`;
}

/** Whether a line of an environment file sets the variable that another one sets, to whatever value. */
export function setsSameVariable(has: string, line: string): boolean {
  const variable = (text: string): string | undefined => /^\s*(?:export\s+)?(\w+)\s*=/.exec(text)?.[1];
  return variable(has) === variable(line) && variable(line) !== undefined;
}
