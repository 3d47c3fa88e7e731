import { readFileSync } from 'node:fs';

/* interface-members.js: the members of an interface with their docstrings, read off the source. Biome formats it, so a member
 * begins with two blanks and ends with a semicolon; a test compares the names with those that the code checks. */

const SOURCES = new URL('../../src/', import.meta.url);

/** The members of an exported interface: name, whether it can be left out, type and docstring.
 *  @throws Error where the file has no such interface. */
export function membersOf(file, name) {
  const text = readFileSync(new URL(file, SOURCES), 'utf8');
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text)?.[1];
  if (body === undefined) throw new Error(`src/${file} has no interface ${name}.`);
  const members = body.matchAll(/(?:^ {2}\/\*\*([\s\S]*?)\*\/\n)?^ {2}(?:readonly )?(\w+)(\?)?:([\s\S]*?);$/gm);
  return [...members].map(([, comment = '', member, optional, type]) => ({
    name: member,
    isOptional: optional !== undefined,
    type: type
      .replace(/\s+/g, ' ')
      .replace(/^ \| /, '')
      .replaceAll('readonly ', '')
      .replace(/ \| undefined$/, '')
      .trim(),
    text: comment
      .replace(/^\s*\*\s?/gm, '')
      .replace(/\s+/g, ' ')
      .trim(),
  }));
}

/** A docstring as meaning and default: the sentence that begins with "Default", or the value that is marked with
 *  "(default)". */
export function meaningAndDefault(text) {
  const said = /(?:^| )Default(?:: | )((?:`[^`]*`|[^.`]|\.(?=\S))+)(?:\.|$)/.exec(text);
  if (said) {
    const rest = `${text.slice(0, said.index)}${text.slice(said.index + said[0].length)}`;
    return [rest.trim(), said[1].trim()];
  }
  return [text, /`([^`]+)` \(default\)/.exec(text)?.[0].replace(' (default)', '') ?? ''];
}
