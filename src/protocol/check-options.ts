import { closestName } from './closest-name.ts';

/* check-options.ts: misuse must not be silent. A misspelt `secret` would leave payloads in the clear, and a misspelt
 * `pageview` would count nothing. So unknown options are refused when an object is made, with the name that was
 * probably meant. */

/** Allowed values of each option: names of types, and texts in quotes, with `|` between them. `count` is a whole number
 *  from 1; `any` is checked elsewhere. The type keeps the list complete. */
export type OptionForms<Options> = { readonly [Name in keyof Options]-?: string };

/** The form of an option that takes one of these texts. */
export function oneOf(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join('|');
}

/** Checks an object of options. `owner`: the class or function that takes them, for the message. `elsewhere`: what to give
 *  in place of options that other libraries or other parts have. An option that is `undefined` counts as left out.
 *  @throws RangeError for an unknown name, which proposes the right one, and for a value of the wrong type. */
export function checkOptions(
  owner: string,
  options: unknown,
  forms: Readonly<Record<string, string>>,
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new RangeError(`${owner} takes its options as an object: known are ${Object.keys(forms).join(', ')}.`);
  }
  // Refuses a client or transport itself in place of `{ client }`.
  if (typeof (options as { on?: unknown }).on === 'function') {
    throw new RangeError(`${owner} takes its options as an object, as { ${Object.keys(forms)[0]} }.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(forms, name)) {
      if (Object.hasOwn(elsewhere, name))
        throw new RangeError(`${owner} knows no option "${name}": ${elsewhere[name]}`);
      const meant = closestName(name, Object.keys(forms));
      const known = meant === undefined ? `known are ${Object.keys(forms).join(', ')}.` : `did you mean "${meant}"?`;
      throw new RangeError(`${owner} knows no option ${JSON.stringify(name.slice(0, 60))}: ${known}`);
    }
    const allowed = forms[name]!.split('|');
    if (value === undefined || allowed.some((form) => fits(value, form))) continue;
    throw new RangeError(`${owner}: ${name} ${shown(value, allowed)} cannot be used: give ${inWords(allowed)}.`);
  }
}

function fits(value: unknown, form: string): boolean {
  if (form === 'any') return true;
  if (form === 'count') return Number.isInteger(value) && (value as number) >= 1;
  if (form === 'object') return typeof value === 'object' && value !== null;
  return form.startsWith('"') ? JSON.stringify(value) === form : typeof value === form;
}

// A text may be a secret, unless the option takes only some that are known.
function shown(value: unknown, allowed: readonly string[]): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  const texts = allowed.filter((form) => form.startsWith('"')).map((form) => form.slice(1, -1));
  if (typeof value !== 'string' || texts.length === 0) return `(of type ${typeof value})`;
  const meant = closestName(value, texts);
  return `${JSON.stringify(value.slice(0, 60))}${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  function: 'a function',
  object: 'an object',
  count: 'a whole number from 1',
};

function inWords(allowed: readonly string[]): string {
  const words = allowed.map((form) => WORDS[form] ?? form);
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
