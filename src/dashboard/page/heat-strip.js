/* heat-strip.js: the hours of a day as squares, darker with more active minutes; in words for those who do not see them. */

import { h } from './dom.js';

/** @param {readonly number[]} hours 24 numbers from 0 to 60 @returns {HTMLElement} */
export function heatStrip(hours) {
  const words = hours.flatMap((minutes, hour) => (minutes > 0 ? [`${hour}:00 ${minutes}`] : []));
  return h(
    'div',
    { class: 'heat', role: 'img', 'aria-label': `Active minutes by hour: ${words.join(', ')}` },
    hours.map((minutes, hour) =>
      h('span', { class: `heat-${levelOf(minutes)}`, title: `${hour}:00 to ${hour + 1}:00: ${minutes}` }),
    ),
  );
}

/** @param {number} minutes */
function levelOf(minutes) {
  return minutes === 0 ? 0 : Math.min(4, 1 + Math.floor(minutes / 10));
}
