import { labels, notes } from './texts.js';
import { keep } from './storage.js';

/** @typedef {'zh' | 'en'} Language */

/** @type {Map<string, readonly [string, string]>} */
const texts = new Map([...Object.entries(notes), ...Object.entries(labels)]);
const attributes = { 'data-t-label': 'aria-label', 'data-t-title': 'title', 'data-t-hint': 'placeholder' };

/** @type {Set<(language: Language) => void>} */
const listeners = new Set();

/** The language of the page, which first.js has chosen. @type {Language} */
let current = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';

/**
 * Adds the texts of a feature that has a file of its own.
 * @param {import('./texts.js').Texts} added
 */
export function addTexts(added) {
  for (const [key, value] of Object.entries(added)) {
    texts.set(key, value);
  }
}

/** @returns {Language} The language of the page. */
export function language() {
  return current;
}

/**
 * The text of a key in the page's language. Where `n` is one, a text whose key ends with "_one" goes before.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = (Number(values.n) === 1 ? texts.get(`${key}_one`) : undefined) ?? texts.get(key);
  if (!text) {
    return key;
  }
  return text[current === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Whether a key has a text.
 * @param {string} key
 */
export function hasText(key) {
  return texts.has(key);
}

/**
 * Changes the language of the page and of all that listens.
 * @param {Language} next
 */
export function setLanguage(next) {
  current = next;
  keep('language', next);
  apply();
  for (const listener of [...listeners]) {
    listener(next);
  }
}

/**
 * Calls a function after each change of the language.
 * @param {(language: Language) => void} listener
 * @returns {() => void} Ends it.
 */
export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Writes the texts into elements with `data-t` (content), `data-t-label`, `data-t-title` and `data-t-hint` (attributes).
 * @param {ParentNode} [root]
 */
export function apply(root = document) {
  if (root === document) {
    document.documentElement.lang = current === 'zh' ? 'zh-Hans' : 'en';
  }
  for (const element of root.querySelectorAll('[data-t]')) {
    element.textContent = t(element.getAttribute('data-t') ?? '');
  }
  for (const [from, to] of Object.entries(attributes)) {
    for (const element of root.querySelectorAll(`[${from}]`)) {
      element.setAttribute(to, t(element.getAttribute(from) ?? ''));
    }
  }
}

/**
 * The language of words that are no text of the page, by which their face is chosen: Chinese has no italics.
 * @param {string} words
 */
export const languageOf = (words) => (/[\u3400-\u9fff]/.test(words) ? 'zh-Hans' : 'en');

/**
 * A number of seconds in words: "31 s", "2 min 5 s".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 90) {
    return t('sec', { n: seconds < 9.95 ? Math.max(0.1, seconds).toFixed(1) : whole });
  }
  const rest = whole % 60;
  const minutes = Math.floor(whole / 60);
  return rest === 0 || minutes >= 10 ? t('min', { n: Math.round(whole / 60) }) : t('min_sec', { n: minutes, s: rest });
}

/**
 * Bytes as GiB, MiB or KiB with the digits that matter.
 * @param {number} bytes
 */
export function amount(bytes) {
  const gib = bytes / 2 ** 30;
  const mib = bytes / 2 ** 20;
  return gib >= 0.95 ? `${gib.toFixed(1)} GiB` : mib >= 0.95 ? `${Math.round(mib)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
