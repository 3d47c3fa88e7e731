import { createHash } from 'node:crypto';

const PATH = /^\/(?:[\w.~-]+\/)+$/;
const HASH_LENGTH = 16;

/** A script that the site serves: what stands in the HTML of its pages. */
export abstract class ServedScript {
  /** Path under which the site serves the script. */
  readonly path: string;
  /** Path of the script, with a hash of its content in its name: it never changes under that name. */
  readonly src: string;
  /** Value for the attribute `integrity`. */
  readonly integrity: string;
  /** The whole tag, for the head of a page. */
  readonly tag: string;

  /** `owner`: the function that made it, for messages. `loads`: the attribute that says when it runs.
   *  @throws RangeError for a path that cannot be used. */
  protected constructor(owner: string, text: string, path: string, loads: 'async' | 'defer') {
    if (!PATH.test(path) || /\/\.{1,2}\//.test(path)) {
      throw new RangeError(
        `${owner}: path ${JSON.stringify(path)} cannot be used: give one like "/sessionwise/", of letters, digits and . _ ~ -.`,
      );
    }
    this.path = path;
    this.src = `${path}${scriptName(text)}.js`;
    this.integrity = `sha384-${createHash('sha384').update(text).digest('base64')}`;
    this.tag = `<script src="${this.src}" integrity="${this.integrity}" ${loads}></script>`;
  }
}

/** Returns the name of a script, without `.js`: a hash of its content. */
export function scriptName(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
}
