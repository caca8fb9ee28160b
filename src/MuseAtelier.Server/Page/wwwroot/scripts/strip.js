import { openDrawer, closeDrawer } from './drawer.js';
import { el, icon, byId, renew } from './dom.js';
import { t, onLanguage } from './i18n.js';
import { diceButton, lockButton, roll, toggleLock } from './seed.js';
import { addKey } from './shortcuts.js';
import { formatOf, scaleOf, sheetShape } from './sizes.js';
import { state, on } from './store.js';

/** Begins the strip: the craft as it is set; each value opens the drawer at its control. */
export function start() {
  for (const key of ['settings', 'offer', 'isDrawerOpen', 'drawerPage']) {
    on(key, show);
  }
  onLanguage(show);
  const inStudio = () => state.view === 'studio';
  addKey({ key: 'l', does: 'lock', when: inStudio, run: toggleLock });
  addKey({ key: 'l', shift: true, does: 'dice', when: inStudio, run: roll });
  addKey({ key: 'c', does: 'craft', when: inStudio, run: toggleCraft });
  show();
}

const isCraftOpen = () => state.isDrawerOpen && state.drawerPage === 'craft';

function toggleCraft() {
  if (isCraftOpen()) {
    closeDrawer();
  } else {
    openDrawer();
  }
}

function show() {
  const strip = byId('strip');
  const { width, height, frame, seed } = state.settings;
  const steps = state.settings.steps ?? state.offer?.defaults?.steps;
  const counted = steps ? t('steps_n', { n: steps }) : '';
  const format = formatOf(width, height);
  const scale = scaleOf(width, height);
  const size = scale ? String(scale.side) : `${width} × ${height}`;
  const name = `${t('format')}: ${format ? t(format.key) : ''} ${width} × ${height}`;
  const sheet = el('span', { class: 'strip-sheet', style: sheetShape(width || 1, height || 1, 15) });
  strip.toggleAttribute('data-long', seed.length > 4 || !scale);
  renew(strip,
    el('button', {
      id: 'strip-craft',
      class: 'strip-craft hand',
      type: 'button',
      'aria-expanded': String(isCraftOpen()),
      'aria-controls': 'drawer',
      onClick: toggleCraft,
    }, t('craft'), icon('right')),
    value('size', 'format', name, sheet, el('span', { class: 'strip-size' }, width ? size : '')),
    value('steps', 'steps', `${t('steps')}: ${counted}`, counted),
    value('frame', 'frame', `${t('frame')}: ${t(frame)}`, el('span', { class: 'swatch', 'data-frame': frame })),
    value('seed', 'seed', `${t('seed')}: ${seed}`, el('span', { class: 'strip-seed' }, seed)),
    diceButton('strip-dice'),
    lockButton('strip-lock'));
}

/**
 * @param {string} id
 * @param {string} control
 * @param {string} name
 * @param {...(Node | string)} children
 */
function value(id, control, name, ...children) {
  return el('button', {
    id: `strip-${id}`, class: `strip-value strip-${id === 'steps' ? 'steps' : 'part'}`, type: 'button', title: name, 'aria-label': name,
    onClick: () => openDrawer(control),
  }, ...children);
}
