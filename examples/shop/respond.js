// @ts-check

import { html } from './html.js';
import { bottom, greeting, top } from './layout.js';
import { visitorOf } from './visitor.js';

/** @typedef {import('./html.js').Html} Html
 *  @typedef {import('./statistics.js').Statistics} Statistics */

/**
 * Sends a page that waited for its answers.
 * @param {import('express').Request} request
 * @param {import('express').Response} response
 * @param {{ title: string, current?: string, unseen?: number | undefined, statistics: Statistics | undefined, main: Html }} page
 */
export function sendPage(request, response, { statistics, main, ...page }) {
  const visitor = visitorOf(request);
  const greeted = html`${greeting(statistics?.welcome)}${main}`;
  response.type('html').send(`${top({ ...page, visitor, main: greeted })}${bottom(statistics)}`);
}
