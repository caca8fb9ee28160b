import { byId } from './dom.js';
import { state, on } from './store.js';

const narrow = matchMedia('(max-width: 899px)');

/** @returns {boolean} Whether the wall stands above the desk. */
export function isNarrow() {
  return narrow.matches;
}

/** Keeps the order of the page's parts the order in which they are seen, so that the focus moves through them as the eye does. */
export function start() {
  place();
  narrow.addEventListener('change', place);
  on('view', place);
}

function place() {
  const [studio, desk, wall, drawer] = ['studio', 'desk', 'wall', 'drawer'].map(byId);
  const [masthead, nav] = ['masthead', 'nav'].map(byId);
  if (narrow.matches && studio.firstElementChild !== wall) {
    studio.prepend(wall);
  } else if (!narrow.matches && drawer.nextElementSibling !== wall) {
    drawer.after(wall);
  }
  if (state.view === 'gallery') {
    byId('gallery-head').prepend(masthead);
    byId('gallery-head').append(nav);
  } else {
    (narrow.matches ? byId('wall-head') : desk).prepend(masthead);
    byId('wall-head').append(nav);
  }
}
