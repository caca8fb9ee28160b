import { recall, keep } from './storage.js';

/**
 * @typedef {object} Shortcut
 * @property {string} key As `KeyboardEvent.key` says it; letters in lower case.
 * @property {boolean} [ctrl] With Ctrl, or Command on a Mac.
 * @property {boolean} [alt]
 * @property {boolean} [shift]
 * @property {string} does The key of the text that says what it does.
 * @property {() => boolean} [when] Whether it applies now; without it, always.
 * @property {(event: KeyboardEvent) => void} run
 */

/** @type {Shortcut[]} */
const shortcuts = [];
let isOn = recall('letters') !== false;

/**
 * Adds a shortcut. Where two fit, the one that was added last runs first.
 * @param {Shortcut} shortcut
 * @returns {() => void} Takes it away.
 */
export function addKey(shortcut) {
  shortcuts.unshift(shortcut);
  return () => shortcuts.splice(shortcuts.indexOf(shortcut), 1);
}

/** @returns {readonly Shortcut[]} All shortcuts, in the order of their addition. */
export function allKeys() {
  return [...shortcuts].reverse();
}

/** @returns {boolean} Whether single characters without Ctrl or Alt are shortcuts. */
export function lettersAreOn() {
  return isOn;
}

/**
 * Switches the single characters on or off (WCAG 2.1.4).
 * @param {boolean} next
 */
export function setLetters(next) {
  isOn = next;
  keep('letters', next);
}

/** @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  return target.isContentEditable || target.matches('textarea, select, input:not([type=radio], [type=checkbox], [type=range])');
}

/**
 * @param {Shortcut} shortcut
 * @param {KeyboardEvent} event
 */
function fits(shortcut, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isCharacter = shortcut.key.length === 1 && !shortcut.ctrl && !shortcut.alt;
  // The shift of a character such as "?" is part of typing it.
  const isShiftRight = isCharacter && !/[a-z]/.test(shortcut.key) ? true : event.shiftKey === Boolean(shortcut.shift);
  return key === shortcut.key
    && (event.ctrlKey || event.metaKey) === Boolean(shortcut.ctrl)
    && event.altKey === Boolean(shortcut.alt)
    && isShiftRight
    && !(isCharacter && !isOn)
    && !(!shortcut.ctrl && !shortcut.alt && shortcut.key !== 'Escape' && takesText(event.target))
    && (shortcut.when?.() ?? true);
}

/** Begins to listen. */
export function start() {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) {
      return;
    }
    const found = shortcuts.find((each) => fits(each, event));
    if (found) {
      event.preventDefault();
      found.run(event);
    }
  });
}
