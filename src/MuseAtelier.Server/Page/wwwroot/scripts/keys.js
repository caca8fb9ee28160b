// The sheet of all keys, with the switch for single letters and the checklist below it.
import { checklistBox } from './checklist.js';
import { openDialog } from './dialogs.js';
import { byId, el, icon } from './dom.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { allKeys, addKey, lettersAreOn, setLetters } from './shortcuts.js';

/** @type {any} */
let dialog;

/** Adds the key that opens the sheet. */
export function start() {
  addKey({ key: '?', does: 'help', run: open });
  document.addEventListener('click', (/** @type {any} */ event) => event.target.closest?.('#nav-keys') && open());
  onLanguage(() => dialog?.replaceChildren(...content()));
}

/** Opens the sheet. */
function open() {
  if (dialog !== undefined) {
    return;
  }
  dialog = el('dialog', { class: 'folio keys', 'aria-labelledby': 'keys-title' });
  dialog.addEventListener('click', (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close());
  dialog.append(...content());
  byId('overlays').append(dialog);
  openDialog(dialog, closed);
}

function closed() {
  dialog.remove();
  dialog = undefined;
}

function content() {
  const letters = el('input', { type: 'checkbox', checked: lettersAreOn(), onchange: () => setLetters(letters.checked) });
  return [
    el('header', { class: 'folio-head' },
      el('h2', { id: 'keys-title', class: 'folio-title' }, t('help')),
      el('button', { class: 'folio-close', type: 'button', 'aria-label': t('close'), onclick: () => dialog.close() }, icon('close'))),
    el('dl', { class: 'keys-list' }, ...lines()),
    el('label', { class: 'keys-switch' }, letters, el('span', {}, t('letters'))),
    el('section', { class: 'keys-checklist', 'aria-labelledby': 'keys-check' }, checklistBox('keys-check')),
    el('div', { class: 'unseen', role: 'status', 'data-live': '' }),
  ];
}

/** One line for each thing that keys do, with all keys that do it. */
function lines() {
  const all = new Map();
  for (const key of [...allKeys(), ...others]) {
    const names = all.get(key.does) ?? [];
    const name = nameOf(key).join(' ');
    all.set(key.does, names.includes(name) ? names : [...names, name]);
  }
  return [...all].map(([does, names]) => el('div', {},
    el('dt', {}, ...names.map(capOf)),
    el('dd', {}, t(does))));
}

/** @param {string} name The names on keys that are pressed together. */
function capOf(name) {
  return el('span', { class: 'keys-name' }, ...name.split(' ').map((part) => el('kbd', null, part)));
}

/** Keys that elements handle themselves. */
const others = [
  { key: 'ArrowUp', ctrl: true, does: 'emphasis' },
  { key: 'ArrowDown', ctrl: true, does: 'emphasis' },
  { key: 'Enter', does: 'key_large' },
  { key: 'Escape', does: 'key_back' },
  { key: 'Delete', does: 'del' },
  { key: ' ', ctrl: true, does: 'key_choose' },
  { key: '+', does: 'key_zoom' },
  { key: '-', does: 'key_zoom' },
  { key: '0', does: 'key_zoom' },
];

/**
 * The names on the keys.
 * @param {{key: string, ctrl?: boolean, alt?: boolean, shift?: boolean}} key
 */
function nameOf({ key, ctrl, alt, shift }) {
  /** @type {Record<string, string>} */
  const names = {
    ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', ' ': t('key_space'),
  };
  const cap = names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return [ctrl && 'Ctrl', alt && 'Alt', shift && 'Shift', cap].filter(Boolean);
}
