import { sw } from './lib/sessionwise.js';

export const proxy = sw.proxy();

/** All but files, and without what the router fetches ahead. Next reads this file as text: write it out. */
export const config = {
  matcher: [
    {
      source: '/((?!_next/|favicon.ico).*)',
      missing: [
        { type: 'header', key: 'next-router-prefetch' },
        { type: 'header', key: 'purpose', value: 'prefetch' },
      ],
    },
  ],
};
