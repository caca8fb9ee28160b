import { el, icon, byId, renew } from './dom.js';
import { t, language, setLanguage, onLanguage } from './i18n.js';
import { recall, keep } from './storage.js';
import { state, on, set } from './store.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** @returns {'day' | 'night'} */
const theme = () => (document.documentElement.dataset.theme === 'night' ? 'night' : 'day');

/** Builds the navigation and follows the address. */
export function start() {
  show();
  onLanguage(show);
  on('view', showView);
  dark.addEventListener('change', () => {
    if (recall('theme') === null) {
      setTheme(dark.matches ? 'night' : 'day');
    }
  });
  window.addEventListener('hashchange', follow);
  follow();
}

function follow() {
  const view = location.hash === '#gallery' ? 'gallery' : 'studio';
  if (view !== state.view) {
    set('view', view);
  }
}

/**
 * Goes to the studio or the gallery.
 * @param {'studio' | 'gallery'} view
 */
export function goTo(view) {
  if (view === state.view) {
    return;
  }
  history.pushState(null, '', view === 'gallery' ? '#gallery' : location.pathname + location.search);
  set('view', view);
}

function showView() {
  const isGallery = state.view === 'gallery';
  byId('studio').hidden = isGallery;
  byId('gallery').hidden = !isGallery;
  document.body.dataset.view = state.view;
  show();
}

/** @param {'day' | 'night'} next */
function setTheme(next) {
  document.documentElement.dataset.theme = next;
  show();
}

function show() {
  renew(byId('nav'),
    item('studio'),
    item('gallery'),
    el('span', { class: 'nav-rule', 'aria-hidden': 'true' }),
    languageButton(),
    themeButton(),
    el('button', { id: 'nav-keys', class: 'icon-button nav-keys', type: 'button', title: t('help'), 'aria-label': t('help') },
      icon('keyboard')));
}

/** @param {'studio' | 'gallery'} view */
function item(view) {
  const isHere = state.view === view;
  return el('button', {
    id: `nav-${view}`,
    class: 'nav-item hand',
    type: 'button',
    'aria-current': isHere ? 'page' : null,
    onClick: () => goTo(view),
  }, t(view), el('span', { class: 'dab', 'aria-hidden': 'true' }));
}

function languageButton() {
  const next = language() === 'zh' ? 'en' : 'zh';
  return el('button', {
    id: 'nav-language',
    class: 'nav-language',
    type: 'button',
    lang: next === 'zh' ? 'zh-Hans' : 'en',
    title: t('lang_name'),
    'aria-label': `${t('lang')}: ${t('lang_name')}`,
    onClick: () => setLanguage(next),
  }, t('lang'));
}

function themeButton() {
  const next = theme() === 'day' ? 'night' : 'day';
  return el('button', {
    id: 'nav-theme',
    class: 'icon-button',
    type: 'button',
    title: t(next),
    'aria-label': t(next),
    onClick: () => {
      keep('theme', next);
      setTheme(next);
    },
  }, icon(next === 'night' ? 'candle' : 'sun'));
}
