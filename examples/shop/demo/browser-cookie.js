// @ts-check
import { randomBytes } from 'node:crypto';

/* browser-cookie.js: tells the browsers apart that look at the demo, so that each panel shows its own pages. It is no
 * visitor's cookie: nothing but the panel reads it. */

const NAME = 'demo';
const VALUE = /^[\w-]{22}$/;

/** @param {string | undefined} cookies The Cookie header. @returns {string | undefined} */
export function browserOf(cookies) {
  const value = cookies
    ?.split(/; */)
    .find((pair) => pair.startsWith(`${NAME}=`))
    ?.slice(NAME.length + 1);
  return value !== undefined && VALUE.test(value) ? value : undefined;
}

/** The browser of a request; one that has no cookie yet gets it with the answer.
 *  @param {import('express').Request} request @param {import('express').Response} response */
export function knownBrowser(request, response) {
  const known = browserOf(request.headers.cookie);
  if (known !== undefined) return known;
  const made = randomBytes(16).toString('base64url');
  response.cookie(NAME, made, { httpOnly: true, sameSite: 'strict' });
  return made;
}
