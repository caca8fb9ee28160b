import { again, recall, download, copyText, verify, nextSeed } from './actions.js';
import { el, icon, byId, renew } from './dom.js';
import { t, language, languageOf, onLanguage } from './i18n.js';
import { countOf } from './jobs.js';
import { factsOf, titleOf } from './picture-words.js';
import { removePictures } from './remove-pictures.js';
import { addKey } from './shortcuts.js';
import { beginFromPicture, canBegin } from './source.js';
import { isDrafted, onEasel } from './stage.js';
import { state, on, set } from './store.js';

let hungId = '';
/** What the label shows: it is built anew only when that changes, so that a button stays while it is pressed. */
let shown = '';
let isFirst = true;
let copiedId = '';
let isMenuOpen = false;

/** Begins the label beside the picture: what it is, and what can be done with it. */
export function start() {
  for (const key of ['current', 'jobs', 'verified', 'watching', 'isDrafting', 'offer']) {
    on(key, show);
  }
  onLanguage(show);
  const keys = /** @type {const} */ ([
    ['n', 'again', again], ['r', 'recall', recall], ['i', 'start', beginFromPicture], ['d', 'down', download], ['t', 'copy', copy],
    ['v', 'verify', verify], ['Delete', 'del', remove],
  ]);
  for (const [key, does, run] of keys) {
    addKey({ key, does, when: () => isHung() && isOffered(does), run: () => run(/** @type {any} */ (state.current)) });
  }
  document.addEventListener('click', (event) => {
    if (isMenuOpen && !(event.target instanceof Element && event.target.closest('.menu, .label-more'))) {
      setMenu(false);
    }
  });
  byId('scene').addEventListener('contextmenu', (/** @type {Event} */ event) => {
    if (isHung() && event.target instanceof Element && event.target.closest('.hung')) {
      event.preventDefault();
      setMenu(true);
    }
  });
  show();
}

/** @param {string} does */
const isOffered = (does) => {
  return does === 'start' ? canBegin() : does === 'down' || does === 'del' || Boolean(state.current?.request);
};

const isHung = () => state.view === 'studio' && state.large === null && state.current !== null && onEasel() === null && !isDrafted();

function show() {
  const host = byId('label');
  if (!isHung() && !(state.current && onEasel() === null && !isDrafted())) {
    hungId = '';
    shown = '';
    host.replaceChildren();
    return;
  }
  const picture = /** @type {Record<string, any>} */ (state.current);
  const verified = state.verified[picture.id];
  const key = JSON.stringify([picture.id, language(), verified?.state, copiedId, isMenuOpen, state.offer !== null]);
  if (key === shown) {
    const aside = host.querySelector('#act-verify small');
    if (aside && aside.textContent !== verdict(verified)) {
      aside.textContent = verdict(verified);
    }
    return;
  }
  shown = key;
  const isOther = hungId !== picture.id;
  // What hangs there when the page opens is not new.
  const isNew = isOther && !isFirst;
  isFirst = false;
  hungId = picture.id;
  isMenuOpen = isMenuOpen && !isOther;
  const words = titleOf(picture);
  renew(host, el('div', { class: `label${isNew ? ' is-new' : ''}` },
    el('h2', { class: 'label-title', lang: languageOf(words) }, words),
    el('div', { class: 'label-facts' }, ...factsOf(picture).map((line) => el('p', null, line)), ...more(picture)),
    el('div', { class: 'label-actions' }, ...actions(picture)),
    seal(picture)));
}

/** @param {Record<string, any>} picture */
function actions(picture) {
  const format = String(picture.format ?? '').toUpperCase();
  const outcome = state.verified[picture.id];
  const save = action('down', 'download', () => download(picture), format);
  const start = canBegin() ? action('start', 'pencil', () => beginFromPicture(picture)) : '';
  if (!picture.request) {
    return [start, save];
  }
  return [
    action('again', 'again', () => again(picture), t('again_sub', { n: nextSeed(picture) }), 'is-main'),
    action('recall', 'recall', () => recall(picture)),
    start,
    save,
    action('copy', 'copy', () => copy(picture), copiedId === picture.id ? t('copied') : 'A1111', 'is-minor'),
    action('verify', 'verify', () => verify(picture), verdict(outcome), 'is-minor', outcome?.state === 'done' && !outcome.holds),
  ];
}

/**
 * @param {string} key
 * @param {string} sign
 * @param {() => void} run
 * @param {string} [aside]
 * @param {string} [style]
 * @param {boolean} [differs]
 */
function action(key, sign, run, aside = '', style = '', differs = false) {
  return el('button', { id: `act-${key}`, class: `action hand-${key} ${style}`, type: 'button', onClick: run },
    icon(sign), el('span', null, t(key)), el('small', { 'data-tone': differs ? 'differs' : null }, aside));
}

/** @param {Record<string, any> | undefined} outcome */
function verdict(outcome) {
  if (!outcome) {
    return '';
  }
  if (outcome.state === 'running') {
    const job = state.jobs.find((each) => each.id === outcome.job);
    return (job && countOf(job)) || '…';
  }
  if (outcome.state === 'done') {
    return outcome.holds ? t('verified_s') : t('mismatch', { n: outcome.divergesAtStep ?? 0 });
  }
  return outcome.problem?.message ?? t('stopped');
}

/** @param {Record<string, any>} picture */
function remove(picture) {
  removePictures([picture], { restored: (restored) => set('current', restored) });
}

/** @param {Record<string, any>} picture */
function copy(picture) {
  copyText(picture).then((isCopied) => {
    if (isCopied) {
      copiedId = picture.id;
      show();
      setTimeout(() => {
        copiedId = '';
        show();
      }, 2000);
    }
  });
}

let sealedId = '';

/** @param {Record<string, any>} picture */
function seal(picture) {
  if (!state.verified[picture.id]?.holds) {
    return null;
  }
  const isNew = sealedId !== picture.id;
  sealedId = picture.id;
  return el('span', { class: `seal${isNew ? ' is-new' : ''}`, role: 'img', 'aria-label': t('verified'), lang: 'zh-Hans' }, '真');
}

/** @param {Record<string, any>} picture */
function more(picture) {
  const button = el('button', {
    id: 'act-more', class: 'icon-button label-more', type: 'button', 'aria-label': t('more'), title: t('more'),
    'aria-expanded': String(isMenuOpen), onClick: () => setMenu(!isMenuOpen),
  }, icon('more'));
  const menu = isMenuOpen && el('div', { class: 'menu' }, action('del', 'trash', () => remove(picture)));
  return menu ? [button, menu] : [button];
}

/** @param {boolean} isOpen */
function setMenu(isOpen) {
  isMenuOpen = isOpen;
  show();
  if (isOpen) {
    byId('act-del')?.focus();
  }
}
