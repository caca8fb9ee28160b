import { byId } from './dom.js';

/**
 * Has screen readers speak a sentence when they are at leisure.
 * @param {string} text
 */
export function say(text) {
  const live = byId('live');
  // The same sentence twice in a row is spoken twice only if the region was empty in between.
  live.textContent = '';
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}
