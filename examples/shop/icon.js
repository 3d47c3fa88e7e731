// @ts-check
import { html } from './html.js';

/** One of the pictures in public/icons.svg. @param {string} name @param {string} [className] */
export function icon(name, className = 'icon') {
  return html`<svg class="${className}" aria-hidden="true" focusable="false"><use href="/icons.svg#${name}"></use></svg>`;
}
