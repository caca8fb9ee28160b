// One line at the lower middle of the window, with at most one action. A newer toast replaces an older one.
import { byId, el } from './dom.js';
import { t } from './i18n.js';
import { say } from './say.js';
import { addKey } from './shortcuts.js';
import { on, set, state } from './store.js';

/** How long a toast stays, in ms. */
const stay = 8000;

/** @type {HTMLElement | undefined} */
let element;
let timer = 0;

/** Shows what `state.toast` says. */
export function start() {
  on('toast', show);
  addKey({ key: 'z', ctrl: true, does: 'undo', when: () => state.toast?.action !== undefined, run: act });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && element?.contains(document.activeElement)) {
      event.preventDefault();
      event.stopPropagation();
      set('toast', null);
    }
  }, true);
}

/**
 * Shows a sentence, and has it spoken.
 * @param {string} text
 * @param {{text: string, run: () => void}} [action] What can be done about it.
 */
export function tell(text, action) {
  set('toast', { text, action });
  say(text);
}

/**
 * The action of a toast that takes back what was done.
 * @param {() => void} run
 */
export const undoBy = (run) => ({ text: t('undo'), run });

/** Moves the toast out of a dialog that closes, or into one that opens. */
export function rehostToast() {
  if (element !== undefined) {
    hostOf().append(element);
  }
}

/** @param {{text: string, action?: {text: string, run: () => void}} | null} toast */
function show(toast) {
  clearTimeout(timer);
  const hadFocus = element?.contains(document.activeElement) === true;
  element?.remove();
  element = undefined;
  if (toast !== null) {
    element = build(toast);
    hostOf().append(element);
    wait();
  } else if (hadFocus) {
    // The focus would fall to the top of the page.
    const tile = document.querySelector('#gallery:not([hidden]) .gallery-picture[tabindex="0"]');
    (document.querySelector('dialog:modal') ?? tile ?? byId('stage'))?.focus();
  }
}

/** @param {any} toast */
function build({ text, action }) {
  const button = action !== undefined && el('button', { class: 'toast-action', type: 'button', onclick: act }, action.text);
  const words = el('span', { class: 'toast-text', dir: 'auto' }, text);
  const box = el('section', { class: 'toast', 'aria-label': text }, words, button);
  for (const type of ['pointerleave', 'focusout']) {
    box.addEventListener(type, wait);
  }
  return box;
}

function act() {
  const action = state.toast?.action;
  set('toast', null);
  action?.run();
}

/** Takes the toast away in a while, unless it is hovered or has the focus then. */
function wait() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (element?.matches(':hover') || element?.contains(document.activeElement)) {
      return;
    }
    set('toast', null);
  }, stay);
}

/** A dialog makes everything outside it inert, so the toast belongs into the topmost one. */
function hostOf() {
  return [...document.querySelectorAll('dialog:modal')].at(-1) ?? byId('overlays');
}
