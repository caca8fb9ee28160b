import { previewUrl } from './api.js';
import { el, byId } from './dom.js';
import { t, onLanguage } from './i18n.js';
import { invitation } from './invitation.js';
import { shareOf } from './jobs.js';
import { isNarrow } from './layout.js';
import { board } from './mask-board.js';
import { addressOf, extentOf } from './source.js';
import { state, on, set, running } from './store.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');

/** What the scene shows: the key of its content, so that it is built anew only when that changes. */
let shown = '';
/** The newest preview that was asked for, and whether one is being loaded. */
let wanted = { job: '', number: 0 };
let isLoading = false;
/** A job that was stopped in this sitting; its canvas stays until something else is looked at. @type {Record<string, any> | null} */
let halted = null;
let wasRunning = '';

/** Begins the stage: the easel while a picture is painted, the picture on the wall when it is done. */
export function start() {
  on('isDrafting', () => (halted = null));
  for (const key of ['jobs', 'current', 'watching', 'isDrafting', 'settings', 'galleryCount', 'offer']) {
    on(key, show);
  }
  on('current', () => {
    halted = null;
    show();
  });
  onLanguage(() => {
    shown = '';
    show();
  });
  on('connection', (connection) => connection === 'back' && loadAgain());
  new ResizeObserver(fit).observe(byId('wall'));
  show();
}

/** Loads the pictures again that could not be loaded while the server was gone. */
function loadAgain() {
  for (const image of document.querySelectorAll('#studio img')) {
    if (image instanceof HTMLImageElement && image.complete && image.naturalWidth === 0) {
      image.src = image.getAttribute('src') ?? '';
    }
  }
}

/** Moves what is beside the picture under it where the wall is narrow, or the picture wide. */
function fit() {
  const stage = byId('stage');
  const ratio = Number(byId('scene').lastElementChild?.style.getPropertyValue('--ratio') || 1);
  const isLow = byId('wall').clientWidth < 780;
  if (isNarrow() || !(isLow || ratio > 1.8)) {
    stage.removeAttribute('data-line');
  } else {
    stage.dataset.line = isLow ? 'narrow' : 'wide';
  }
}

/** @returns {Record<string, any> | null} The job on the easel. */
export function onEasel() {
  const job = running();
  if (job && job.kind !== 'verify') {
    return state.watching ? job : null;
  }
  return halted;
}

/** @returns {boolean} Whether the picture that is painted from stands on the easel. */
export function isDrafted() {
  return state.isDrafting && state.settings.source !== null && onEasel() === null;
}

function show() {
  remember();
  const job = onEasel();
  const picture = state.current;
  if (job) {
    showEasel(job);
  } else if (isDrafted()) {
    showDraft();
  } else if (picture) {
    showPicture(picture);
  } else {
    showBlank();
  }
  fit();
}

function remember() {
  const job = running();
  const before = state.jobs.find((each) => each.id === wasRunning);
  if (before && before.state === 'stopped' && before.preview > 0 && state.watching) {
    halted = before;
  }
  if (job && job.kind !== 'verify') {
    halted = null;
    wasRunning = job.id;
  } else {
    wasRunning = '';
  }
}

/**
 * @param {string} key
 * @param {string} scene
 * @param {() => HTMLElement} make
 * @returns {HTMLElement}
 */
function put(key, scene, make) {
  const host = byId('scene');
  byId('stage').dataset.scene = scene;
  if (shown !== key) {
    const old = host.lastElementChild;
    const isDone = old?.classList.contains('easel') && scene === 'picture' && shown.startsWith('job') && !still.matches;
    shown = key;
    const made = make();
    if (isDone) {
      old.classList.add('is-leaving');
      setTimeout(() => old.remove(), 450);
      host.append(made);
    } else {
      host.replaceChildren(made);
    }
  }
  return /** @type {HTMLElement} */ (host.lastElementChild);
}

/** @param {...Node} onCanvas */
function easel(...onCanvas) {
  return el('div', { class: 'easel' },
    el('span', { class: 'easel-mast wood-standing', 'aria-hidden': 'true' }),
    el('span', { class: 'easel-leg wood-standing is-left', 'aria-hidden': 'true' }),
    el('span', { class: 'easel-leg wood-standing', 'aria-hidden': 'true' }),
    el('span', { class: 'easel-leg wood-standing is-right', 'aria-hidden': 'true' }),
    el('div', { class: 'canvas' }, ...onCanvas),
    el('span', { class: 'easel-clamp wood', 'aria-hidden': 'true' }),
    el('div', { class: 'easel-ledge wood' }));
}

/** @param {Record<string, any>} job */
function showEasel(job) {
  const element = put(`job ${job.id}`, 'easel', () => {
    const made = easel(...underDrawing(job.request?.source), el('div', { class: 'wash' }));
    made.querySelector('.easel-ledge').append(
      el('progress', { class: 'paint-line unseen', max: 1, value: 0, 'aria-label': t('painting') }),
      el('span', { class: 'paint-line', 'aria-hidden': 'true' }, el('span', { class: 'dab' })));
    wanted = { job: job.id, number: 0 };
    return made;
  });
  const { width = 1, height = 1 } = job.request ?? {};
  element.style.setProperty('--ratio', String(width / height));
  const share = shareOf(job);
  /** @type {HTMLElement} */ (element.querySelector('.wash')).style.setProperty('--grown', `${88 + 16 * share}%`);
  const progress = /** @type {HTMLProgressElement} */ (element.querySelector('progress'));
  progress.value = share;
  // A job that was stopped makes no progress any more.
  progress.hidden = job === halted;
  /** @type {HTMLElement} */ (element.querySelector('.paint-line .dab')).style.width = `${share * 100}%`;
  if (job.preview > 0 && (wanted.job !== job.id || job.preview !== wanted.number)) {
    wanted = { job: job.id, number: job.preview };
    load();
  }
}

/**
 * The picture that is painted from, faintly on the canvas until paint covers it.
 * @param {Record<string, any> | undefined} source
 */
function underDrawing(source) {
  if (!source?.upload && !source?.picture) {
    return [];
  }
  const image = el('img', { class: 'under-drawing', 'data-fit': source.fit ?? 'crop', src: addressOf(source), alt: '' });
  image.addEventListener('error', () => image.remove());
  return [image];
}

/** Loads the newest preview, one at a time, and lays it over the one before. */
async function load() {
  if (isLoading) {
    return;
  }
  isLoading = true;
  const { job, number } = wanted;
  try {
    const image = new Image();
    image.alt = '';
    image.src = previewUrl(job, number);
    await image.decode();
    const wash = byId('scene').querySelector('.easel:not(.is-leaving) .wash');
    if (wash && shown === `job ${job}`) {
      image.className = 'is-new';
      wash.append(image);
      while (wash.children.length > 2) {
        wash.firstElementChild?.remove();
      }
    }
    await new Promise((done) => setTimeout(done, still.matches ? 2000 : 200));
  } catch {
    // The preview is older than the newest one, or the job has ended.
  }
  isLoading = false;
  if (wanted.job !== job || wanted.number !== number) {
    load();
  }
}

/** @param {Record<string, any>} picture */
function showPicture(picture) {
  const isFirst = !/^(job|picture)/.test(shown);
  const element = put(`picture ${picture.id}`, 'picture', () => {
    const image = el('img', { src: picture.file, alt: picture.request?.prompt || t('untitled'), decoding: 'async', draggable: true });
    return el('button', {
      class: `hung${isFirst ? '' : ' is-new'}`,
      type: 'button',
      title: t('open_large'),
      style: { 'background': `url("${picture.thumbnail}") 0 0 / 100% 100%` },
      onClick: () => set('large', picture.id),
    }, image);
  });
  element.style.setProperty('--ratio', String(picture.width / picture.height));
}

function showDraft() {
  const { width, height } = extentOf(/** @type {import('./source.js').Source} */ (state.settings.source));
  const element = put('draft', 'draft', () => easel(board()));
  element.style.setProperty('--ratio', String(width / height));
}

function showBlank() {
  const isInvited = state.galleryCount === 0 && state.settings.prompt.trim() === '' && state.offer !== null;
  const element = put(`blank ${isInvited}`, 'easel', () => easel(...(isInvited ? [invitation()] : [])));
  const { width, height } = state.settings;
  const ratio = width > 0 ? width / height : 1;
  element.style.setProperty('--ratio', String(isInvited ? 1 : ratio));
}
