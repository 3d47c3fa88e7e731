// @ts-check
/* catalogue.js: what this shop sells, features and announces. A real shop has a database for it. */

/** A price is in euros.
 *  @typedef {{ slug: string, name: string, price: number, tint: string, blurb: string }} Product */

/** @type {readonly Product[]} */
export const PRODUCTS = [
  {
    slug: 'tv',
    name: 'Television',
    price: 649,
    tint: 'sea',
    blurb: '55 inches, and thin enough to forget behind the film.',
  },
  {
    slug: 'tv-mount',
    name: 'TV wall mount',
    price: 59,
    tint: 'sun',
    blurb: 'Holds 40 kg, tilts and swings, needs four screws.',
  },
  {
    slug: 'soundbar',
    name: 'Soundbar',
    price: 229,
    tint: 'plum',
    blurb: 'Voices that you understand without turning it up.',
  },
  {
    slug: 'lamp',
    name: 'Reading lamp',
    price: 84,
    tint: 'sun',
    blurb: 'Warm light, a heavy foot and a switch in reach.',
  },
  {
    slug: 'game-console',
    name: 'Game console',
    price: 419,
    tint: 'plum',
    blurb: 'Quiet, quick, and with one controller in the box.',
  },
  {
    slug: 'headphones',
    name: 'Headphones',
    price: 149,
    tint: 'sea',
    blurb: 'Thirty hours of your own music and nobody else’s.',
  },
  {
    slug: 'hdmi-cable',
    name: 'HDMI cable',
    price: 14,
    tint: 'sea',
    blurb: 'Three metres, flat, and good for every resolution.',
  },
  {
    slug: 'second-controller',
    name: 'Second controller',
    price: 59,
    tint: 'plum',
    blurb: 'So that nobody has to watch while another plays.',
  },
  {
    slug: 'smart-plug',
    name: 'Smart plug',
    price: 19,
    tint: 'sun',
    blurb: 'Makes a switch of your phone for whatever is in it.',
  },
];

/** The pages that the shop would like every visitor to see once. */
export const FEATURED = ['tv', 'tv-mount', 'soundbar', 'lamp', 'game-console', 'headphones'].map(pathOf);

/** What the shop itself announces to all customers, the newest first; published at its start (`own-notices.js`).
 *  @type {readonly { id: string, title: string, text: string, severity: import('sessionwise').NoticeSeverity }[]} */
export const NOTICES = [
  {
    id: 'free-delivery',
    title: 'Free delivery this week',
    text: 'Whatever you order until Sunday comes for nothing.',
    severity: 'success',
  },
  {
    id: 'repair-cafe',
    title: 'Repair café on Saturday',
    text: 'Bring what is broken; we bring screwdrivers and cake.',
    severity: 'info',
  },
  {
    id: 'new-lamps',
    title: 'The new reading lamps are here',
    text: 'Three colours, and a switch that glows at night.',
    severity: 'info',
  },
];

/** The group whose notices every visitor gets; see `sessionwise notices publish --group customers` */
export const CUSTOMERS = 'customers';

/** The page of a product, which is also where it is seen that it was added. @param {string} slug */
export function pathOf(slug) {
  return `/added/${encodeURIComponent(slug)}`;
}

/** The product of a slug or of its path. @param {string} slugOrPath */
export function productOf(slugOrPath) {
  return PRODUCTS.find(({ slug }) => slug === slugOrPath || pathOf(slug) === slugOrPath);
}

/** @param {number} euros */
export function money(euros) {
  return `€ ${euros.toLocaleString('en')}`;
}

const LONGEST_NAME = 60;

/** What people call a thing: any slug has a name, a visitor's invention too. @param {string} slug */
export function nameOf(slug) {
  const known = productOf(slug);
  if (known) return known.name;
  const characters = [...slug.replace(/[\p{C}\s]+/gu, ' ').trim()];
  return characters.length > LONGEST_NAME
    ? `${characters.slice(0, LONGEST_NAME).join('')}…`
    : characters.join('') || '?';
}
