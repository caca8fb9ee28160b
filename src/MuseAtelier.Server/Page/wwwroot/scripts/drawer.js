// The drawer beside the desk: it holds the craft or the manners.
import { craftRows } from './craft.js';
import { el, icon, byId, renew } from './dom.js';
import { t, onLanguage } from './i18n.js';
import { mannerRows } from './manner.js';
import { addKey } from './shortcuts.js';
import { keep } from './storage.js';
import { state, on, set } from './store.js';

/** Functions that bring the controls in line with the settings, without building them anew. @type {(() => void)[]} */
let syncs = [];
/** @type {Element | null} */
let opener = null;

/** Begins the drawer; it is open if it was open at the last visit. */
export function start() {
  on('offer', build);
  on('models', build);
  onLanguage(build);
  for (const key of ['settings', 'plan', 'sanctum', 'loras', 'imprints']) {
    on(key, sync);
  }
  const isInside = () => state.isDrawerOpen && byId('drawer').contains(document.activeElement);
  addKey({ key: 'Escape', does: 'close', when: isInside, run: closeDrawer });
  build();
  show();
}

/**
 * Opens the drawer at the craft, with the focus at a control.
 * @param {string} [control] The id of the control without its prefix "craft-".
 */
export function openDrawer(control) {
  open('craft');
  const target = control ? document.querySelector(`#craft-${control}:not(fieldset), #craft-${control} :checked`) : byId('drawer-close');
  /** @type {HTMLElement | null} */ (target)?.focus();
}

/**
 * Opens the drawer at the manners, with the focus at one in use, or at the search.
 * @param {number} [index] The place of a manner in use.
 */
export function openManners(index) {
  open('manner');
  // On a phone, a focused field would bring up the keyboard over the list.
  const first = matchMedia('(pointer: coarse)').matches ? 'drawer-close' : 'manner-search';
  byId(index === undefined ? first : `manner-${index}`)?.focus();
}

/** @param {'craft' | 'manner'} page */
function open(page) {
  if (!byId('drawer').contains(document.activeElement) && document.activeElement !== document.body) {
    opener = document.activeElement;
  }
  if (state.drawerPage !== page) {
    set('drawerPage', page);
    build();
  }
  if (!state.isDrawerOpen) {
    setOpen(true);
    byId('drawer').classList.add('is-opening');
  }
}

/** Closes the drawer and gives the focus back. */
export function closeDrawer() {
  const hadFocus = byId('drawer').contains(document.activeElement);
  setOpen(false);
  if (hadFocus) {
    const back = opener?.isConnected ? opener : byId(opener?.id ?? '') ?? byId('strip-craft');
    /** @type {HTMLElement} */ (back).focus();
  }
}

/** @param {boolean} isOpen */
function setOpen(isOpen) {
  keep('drawer', isOpen);
  set('isDrawerOpen', isOpen);
  show();
}

function show() {
  const drawer = byId('drawer');
  drawer.hidden = !state.isDrawerOpen;
  drawer.classList.remove('is-opening');
  byId('studio').classList.toggle('has-drawer', state.isDrawerOpen);
}

function sync() {
  for (const each of syncs) {
    each();
  }
}

function build() {
  syncs = [];
  const isCraft = state.drawerPage === 'craft';
  renew(byId('drawer'),
    el('header', { class: 'drawer-head' },
      el('h2', { id: 'drawer-title', class: 'drawer-title hand' }, t(isCraft ? 'craft' : 'manner')),
      el('button', {
        id: 'drawer-close', class: 'icon-button', type: 'button', 'aria-label': t('close'), title: t('close'), onClick: closeDrawer,
      }, icon('close'))),
    ...(isCraft ? craftRows(syncs) : mannerRows(syncs)));
  sync();
}
