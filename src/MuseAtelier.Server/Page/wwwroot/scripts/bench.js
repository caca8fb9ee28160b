import { el, byId } from './dom.js';
import { onLanguage } from './i18n.js';
import { titleOf } from './picture-words.js';
import { isDrafted, onEasel } from './stage.js';
import { state, on, set, running } from './store.js';

/** The pictures that lie there, by id. @type {Map<string, any>} */
const lying = new Map();
let isFirst = true;

/** Begins the bench: recent work, newest left. */
export function start() {
  for (const key of ['pictures', 'current', 'jobs', 'watching', 'isDrafting']) {
    on(key, show);
  }
  onLanguage(() => {
    lying.clear();
    show();
  });
  byId('bench-row').addEventListener('keydown', walk);
  byId('bench-row').addEventListener('wheel', roll, { passive: false });
  show();
}

function show() {
  const row = byId('bench-row');
  const chosen = onEasel() === null && !isDrafted() ? state.current?.id : undefined;
  const elements = state.pictures.map((picture) => lying.get(picture.id) ?? make(picture));
  if (elements.length !== row.children.length || elements.some((each, index) => row.children[index] !== each)) {
    row.replaceChildren(...elements);
  }
  for (const id of [...lying.keys()]) {
    if (!state.pictures.some((each) => each.id === id)) {
      lying.delete(id);
    }
  }
  const stop = elements.find((each) => each.dataset.id === chosen) ?? elements[0];
  for (const each of elements) {
    each.tabIndex = each === stop ? 0 : -1;
    if (each.dataset.id === chosen) {
      each.setAttribute('aria-current', 'true');
    } else {
      each.removeAttribute('aria-current');
    }
  }
  isFirst = isFirst && state.offer === null;
}

/** @param {Record<string, any>} picture */
function make(picture) {
  const name = titleOf(picture);
  const element = el('button', {
    class: `bench-picture${isFirst ? '' : ' is-new'}`,
    type: 'button',
    title: name,
    'data-id': picture.id,
    onClick: () => choose(picture),
  }, el('img', { src: picture.thumbnail, alt: name, width: picture.width, height: picture.height, loading: 'lazy' }));
  lying.set(picture.id, element);
  return element;
}

/** @param {Record<string, any>} picture */
function choose(picture) {
  set('watching', running() === null);
  set('isDrafting', false);
  set('current', picture);
}

/**
 * A wheel that turns up and down moves the row, which has nowhere else to go.
 * @param {WheelEvent} event
 */
function roll(event) {
  const row = byId('bench-row');
  if (event.deltaX === 0 && !event.ctrlKey && row.scrollWidth > row.clientWidth) {
    event.preventDefault();
    row.scrollLeft += event.deltaY;
  }
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const all = [...byId('bench-row').children];
  const at = all.indexOf(/** @type {Element} */ (document.activeElement));
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (at >= 0 && to !== undefined && all[to]) {
    event.preventDefault();
    /** @type {HTMLElement} */ (all[to]).focus();
  }
}
