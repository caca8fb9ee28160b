import { byId } from './dom.js';

/**
 * Has screen readers speak a sentence when they are at leisure.
 * @param {string} text
 */
export function say(text) {
  // Outside of a modal dialog everything is inert, so each dialog has a region of its own.
  const live = [...document.querySelectorAll('dialog:modal [data-live]')].at(-1) ?? byId('live');
  // The same sentence twice in a row is spoken twice only if the region was empty in between.
  live.textContent = '';
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}
