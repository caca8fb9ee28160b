// The gallery: all pictures, newest first, in place of the studio. Its address is #gallery.
import * as api from './api.js';
import { byId, el, icon } from './dom.js';
import { pictureButton } from './drop.js';
import { problemBox } from './errors.js';
import { Selection } from './gallery-selection.js';
import { Wall } from './gallery-wall.js';
import { onLanguage, t } from './i18n.js';
import { openLarge } from './large-view.js';
import { onLongPress } from './long-press.js';
import { goTo } from './navigation.js';
import { removePictures } from './remove-pictures.js';
import './overlay-texts.js';
import { say } from './say.js';
import { addKey } from './shortcuts.js';
import { on, state } from './store.js';

/** @typedef {import('./store.js').Picture} Picture */

/** Pictures of a page of the list. */
const page = 100;

/** How long the search waits for the next letter, in ms. */
const pause = 150;

/** @type {Record<string, any>} */
const parts = {};
/** @type {Wall} */
let wall;
/** @type {Selection} */
let selection;
let query = '';
/** @type {string | null | undefined} */
let next;
let total = 0;
let isLoaded = false;
let hasList = false;
/** @type {Promise<void> | undefined} */
let loading;
let newest = 0;
let timer = 0;
let studioScroll = 0;

/** Builds the gallery and follows the address. */
export function start() {
  build();
  wall = new Wall(parts.scroller, parts.days);
  selection = new Selection(wall, showHead);
  listen();
  addKeys();
  onLanguage(speak);
  on('added', added);
  // What was painted while the stream of events was interrupted comes with the state.
  on('pictures', (pictures) => hasList && query === '' && pictures.forEach(added));
  on('removed', (id) => takeDown([id]));
  on('connection', (connection) => connection === 'back' && (isLoaded || state.view === 'gallery') && load(isLoaded));
  on('view', follow);
  follow();
}

function build() {
  parts.host = byId('gallery');
  parts.head = byId('gallery-head');
  parts.scroller = byId('gallery-rows');
  parts.search = el('input', { type: 'search', autocomplete: 'off', spellcheck: false, enterKeyHint: 'search' });
  parts.count = el('p', { class: 'gallery-count' });
  parts.remove = el('button', { class: 'quiet', type: 'button', onclick: removeChosen }, icon('trash'), el('span'));
  parts.none = el('button', { class: 'quiet', type: 'button', onclick: () => selection.clear() });
  parts.chosen = el('div', { class: 'gallery-chosen', hidden: true }, parts.remove, parts.none);
  byId('gallery-tools').append(
    el('div', { class: 'gallery-search', role: 'search' }, icon('search'), parts.search),
    parts.count, parts.chosen, pictureButton('quiet gallery-read'));
  parts.days = el('div', { class: 'gallery-days' });
  parts.notice = el('div', { class: 'gallery-notice', hidden: true });
  parts.end = el('div', { class: 'gallery-end' });
  parts.scroller.append(parts.notice, parts.days, parts.end);
  speak();
}

function listen() {
  parts.search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => find(parts.search.value), pause);
  });
  parts.search.addEventListener('keydown', (/** @type {any} */ event) => {
    if (event.key === 'ArrowDown' && wall.current !== undefined) {
      event.preventDefault();
      wall.makeCurrent(wall.current.id);
    }
  });
  parts.days.addEventListener('click', clicked);
  parts.days.addEventListener('keydown', pressed);
  parts.days.addEventListener('focusin', (/** @type {any} */ event) => {
    const picture = wall.pictureOf(event.target);
    if (picture !== undefined) {
      wall.makeCurrent(picture.id, false);
    }
  });
  // A long press chooses a picture, as Ctrl and a click do.
  onLongPress(parts.days, (element) => {
    const picture = wall.pictureOf(element);
    picture !== undefined && selection.toggle(picture.id);
    return picture !== undefined;
  });
  const lift = () => parts.head.classList.toggle('lifted', parts.scroller.scrollTop > 4);
  parts.scroller.addEventListener('scroll', lift, { passive: true });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && loadNext(), {
    root: parts.scroller, rootMargin: '600px 0px'
  }).observe(parts.end);
  // On a narrow screen the studio scrolls with the window, and loses its place while it is hidden.
  addEventListener('scroll', () => state.view === 'studio' && (studioScroll = scrollY), { passive: true });
  let width = 0;
  new ResizeObserver(() => {
    if (parts.days.clientWidth !== width && parts.days.clientWidth > 0) {
      width = parts.days.clientWidth;
      wall.resize();
    }
  }).observe(parts.days);
}

/** @param {any} event */
function clicked(event) {
  const picture = wall.pictureOf(event.target);
  if (picture === undefined) {
    return;
  }
  if (event.shiftKey) {
    selection.extendTo(picture.id);
  } else if (event.ctrlKey || event.metaKey || (selection.count > 0 && event.pointerType === 'touch')) {
    selection.toggle(picture.id);
  } else {
    selection.beginAt(picture.id);
    openLarge(picture, {
      pictures: () => wall.pictures,
      more: loadNext,
      left: (last) => wall.makeCurrent(wall.has(last.id) ? last.id : wall.current?.id)
    });
  }
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const isControl = event.ctrlKey || event.metaKey;
  if (event.altKey || wall.current === undefined) {
    return;
  }
  if (['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) {
    event.preventDefault();
    go(event.key, event.shiftKey);
  } else if (event.key === ' ' && isControl) {
    event.preventDefault();
    selection.toggle(wall.current.id);
  } else if (event.key.toLowerCase() === 'a' && isControl) {
    event.preventDefault();
    selection.all();
  } else if (event.key === 'Delete') {
    event.preventDefault();
    removeChosen();
  } else if (event.key === 'Escape' && selection.count > 0) {
    event.preventDefault();
    event.stopPropagation();
    selection.clear();
  }
}

/**
 * Moves to a neighbour, with Shift choosing all between.
 * @param {any} key
 * @param {boolean} [isChoosing]
 */
async function go(key, isChoosing) {
  if (isChoosing) {
    selection.beginAt(wall.current?.id ?? '');
  }
  if (key === 'End') {
    await loadAll();
  }
  const picture = wall.neighbour(key);
  if (picture === undefined) {
    return;
  }
  wall.makeCurrent(picture.id);
  if (key === 'Home') {
    parts.scroller.scrollTop = 0;
  }
  if (isChoosing) {
    selection.extendTo(picture.id);
  }
}

function addKeys() {
  const inGallery = () => state.view === 'gallery' && !document.querySelector('dialog:modal');
  addKey({ key: 'g', does: 'gallery', when: () => state.view !== 'gallery', run: () => goTo('gallery') });
  addKey({ key: 's', does: 'studio', when: inGallery, run: () => goTo('studio') });
  addKey({ key: '/', does: 'search', when: inGallery, run: () => parts.search.focus() });
  for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End']) {
    const isFree = () => inGallery() && document.activeElement === document.body;
    addKey({ key, does: 'key_move', when: isFree, run: () => wall.current && go(key) });
  }
}

/** Loads the pictures when the gallery is first shown, and takes the focus whenever it is. */
function follow() {
  const isShown = state.view === 'gallery';
  if (!isShown) {
    scrollTo(0, studioScroll);
    return;
  }
  if (!isLoaded) {
    load();
  }
  wall.resize();
  if (!byId('nav').contains(document.activeElement)) {
    wall.tileOf(wall.current?.id)?.focus({ preventScroll: true });
  }
}

/** @param {string} text */
function find(text) {
  const words = text.trim();
  if (words !== query) {
    query = words;
    load();
  }
}

/**
 * Loads the first page of what is searched and shows it in place of what hung there.
 * @param {boolean} [isAgain] Whether the same list is loaded again, so that the place in it is kept.
 */
async function load(isAgain = false) {
  const number = ++newest;
  isLoaded = true;
  loading = undefined;
  try {
    const list = await api.getPictures({ q: query, limit: isAgain ? Math.min(200, Math.max(page, wall.count)) : page });
    if (number !== newest) {
      return;
    }
    hasList = true;
    next = list.next;
    total = list.total;
    selection.clear();
    const place = isAgain ? parts.scroller.scrollTop : 0;
    wall.show(list.pictures);
    parts.scroller.scrollTop = place;
    showHead();
    if (query !== '') {
      say(wall.count === 0 ? t('none_found', { x: query }) : t('n_pics', { n: total }));
    }
  } catch (/** @type {any} */ problem) {
    if (number === newest) {
      isLoaded = false;
      showNotice(problemBox(problem, { onWall: true, remedies: [{ label: t('err_paint_fix'), does: () => load() }] }));
    }
  }
}

/** Loads the next page, if there is one and none is on its way. */
function loadNext() {
  if (next === undefined || next === null || loading !== undefined) {
    return loading ?? Promise.resolve();
  }
  const number = newest;
  loading = api.getPictures({ q: query, limit: page, cursor: next }).then((list) => {
    if (number === newest) {
      next = list.next;
      total = list.total;
      wall.add(list.pictures);
      showHead();
    }
  }, () => undefined).finally(() => {
    if (number === newest) {
      loading = undefined;
      // The observer reports crossings alone: an end that stays in view has to be looked at again.
      requestAnimationFrame(() => isEndNear() && loadNext());
    }
  });
  return loading;
}

function isEndNear() {
  return next && state.view === 'gallery' && parts.end.getBoundingClientRect().top < innerHeight + 600;
}

/** Loads all that is left, for the End key. */
async function loadAll() {
  for (let before = -1; next && before !== wall.count;) {
    before = wall.count;
    await loadNext();
  }
}

/**
 * Hangs a picture that was painted or restored, if it is among those searched for.
 * @param {Picture} picture
 */
function added(picture) {
  const isSought = query === '' || String(picture.request?.prompt ?? '').toLowerCase().includes(query.toLowerCase());
  const oldest = wall.pictures.at(-1);
  if (!isLoaded || !isSought || wall.has(picture.id)) {
    return;
  }
  total++;
  if (!next || oldest === undefined || picture.painted >= oldest.painted) {
    wall.add([picture]);
  }
  showHead();
}

/** @param {string[]} ids */
function takeDown(ids) {
  const here = ids.filter((id) => wall.has(id));
  if (here.length > 0) {
    total = Math.max(0, total - here.length);
    wall.remove(here);
    selection.forget(here);
    showHead();
  }
}

/** Removes the chosen pictures, or the one that has the focus. */
function removeChosen() {
  const pictures = selection.count > 0 ? selection.pictures : wall.current === undefined ? [] : [wall.current];
  if (pictures.length > 0) {
    takeDown(pictures.map((picture) => picture.id));
    removePictures(pictures, { failed: (left) => left.forEach(added), restored: added });
  }
}

/** Writes the head and the notice for what hangs and what is chosen. */
function showHead() {
  const isChoosing = selection.count > 0;
  const count = t('n_pics', { n: total });
  parts.count.textContent = isChoosing ? t('chosen', { n: selection.count }) : `${count} · ${t('newest')}`;
  parts.count.hidden = total === 0 && !isChoosing;
  parts.chosen.hidden = !isChoosing;
  parts.head.classList.toggle('choosing', isChoosing);
  if (wall.count > 0) {
    showNotice();
  } else if (query === '') {
    showNotice(el('p', { class: 'hand' }, t('gal_empty')),
      el('button', { class: 'link', type: 'button', onclick: toStudio }, t('gal_empty_fix')));
  } else {
    showNotice(el('p', { dir: 'auto' }, t('none_found', { x: query })),
      el('button', { class: 'link', type: 'button', onclick: clearSearch }, t('search_clear')));
  }
}

/** @param {...any} content */
function showNotice(...content) {
  parts.notice.hidden = content.length === 0;
  parts.notice.replaceChildren(...content);
}

function toStudio() {
  goTo('studio');
  byId('vision').focus();
}

function clearSearch() {
  parts.search.value = '';
  parts.search.focus();
  find('');
}

/** Writes all texts again, for another language. */
function speak() {
  parts.host.setAttribute('aria-label', t('gallery'));
  parts.search.placeholder = t('search');
  parts.search.setAttribute('aria-label', t('search'));
  parts.remove.lastElementChild.textContent = t('del');
  parts.none.textContent = t('choose_none');
  if (wall !== undefined) {
    wall.speak();
    showHead();
  }
}
