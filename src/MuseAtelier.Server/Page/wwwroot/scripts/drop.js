// A picture that is dropped, pasted or chosen: its record is read and shown.
import * as api from './api.js';
import { byId, el, icon } from './dom.js';
import { problemBox, sentenceOf, tooBig } from './errors.js';
import { onLanguage, t } from './i18n.js';
import { goTo } from './navigation.js';
import { showRecord } from './record-sheet.js';
import './overlay-texts.js';
import { say } from './say.js';
import { addKey } from './shortcuts.js';
import { beginFromFile, canBegin } from './source.js';
import { on, state } from './store.js';

/** The frame is taken down when no file has moved over the page for this long, in ms: a drag may end outside without a word. */
const patience = 400;

/** @type {Record<string, any>} */
const parts = {};
let isOwnDrag = false;
/** @type {number | undefined} */
let timer;
let number = 0;

/** Builds the frame and listens. */
export function start() {
  build();
  onLanguage(speak);
  document.addEventListener('dragstart', () => (isOwnDrag = true), true);
  document.addEventListener('dragend', () => (isOwnDrag = false), true);
  addEventListener('dragenter', dragged);
  addEventListener('dragover', dragged);
  addEventListener('drop', dropped);
  addEventListener('paste', pasted);
  // A drag must not wait for the frame, and a page that only paints must not load it early.
  (window.requestIdleCallback ?? setTimeout)(() => (new Image().src = 'pictures/frame-empty.webp'));
  addKey({ key: 'o', does: 'read_file', run: choose });
}

/**
 * A button that chooses a file and shows its record.
 * @param {string} style
 */
export function pictureButton(style) {
  const words = el('span', {}, t('read_file'));
  onLanguage(() => (words.textContent = t('read_file')));
  return el('button', { class: style, type: 'button', onclick: choose }, icon('picture'), words);
}

/** Lets the painter choose a file. */
export function choose() {
  parts.input.value = '';
  parts.input.click();
}

function build() {
  parts.input = el('input', { id: 'drop-file', type: 'file', hidden: true, onchange: () => read(parts.input.files[0]) });
  parts.input.accept = 'image/png,image/jpeg,image/webp,image/avif';
  parts.title = el('p', { class: 'drop-title' });
  parts.words = el('p', { class: 'drop-words' });
  parts.error = el('div', { class: 'drop-error' });
  parts.picture = el('img', { class: 'drop-picture', alt: '' });
  parts.canvas = el('div', { class: 'drop-canvas' }, parts.title, parts.words, parts.error, parts.picture);
  parts.frame = el('div', { class: 'drop-frame' }, parts.canvas);
  parts.host = el('section', { class: 'drop', hidden: true }, parts.frame);
  parts.host.addEventListener('click', (/** @type {MouseEvent} */ event) => event.target === parts.host && hide());
  parts.host.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      hide();
    }
  });
  byId('overlays').append(parts.input, parts.host);
  byId('additions').append(pictureButton('addition'));
  on('offer', speak);
  speak();
}

function speak() {
  parts.host.setAttribute('aria-label', t('read_file'));
  parts.title.textContent = t('drop');
  parts.words.textContent = t(canBegin() ? 'drop_both' : 'drop_sub');
}

/**
 * Whether a drag brings files from outside. Browsers report a picture of the page itself as a file, too.
 * @param {any} event
 */
function bringsFiles(event) {
  return !isOwnDrag && [...(event.dataTransfer?.types ?? [])].includes('Files');
}

/** @param {any} event */
function dragged(event) {
  if (!bringsFiles(event)) {
    return;
  }
  event.preventDefault();
  event.dataTransfer.dropEffect = 'copy';
  show('waiting');
  clearTimeout(timer);
  timer = setTimeout(() => parts.host.dataset.state === 'waiting' && hide(), patience);
}

/** @param {any} event */
function dropped(event) {
  if (!bringsFiles(event)) {
    return;
  }
  event.preventDefault();
  clearTimeout(timer);
  read(event.dataTransfer.files[0]);
}

/** @param {ClipboardEvent} event */
function pasted(event) {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith('image/'));
  if (file !== undefined) {
    event.preventDefault();
    read(file);
  }
}

/**
 * Reads the record of a file. The newest file counts.
 * @param {File | undefined} file
 */
async function read(file) {
  if (file === undefined) {
    hide();
    return;
  }
  const mine = ++number;
  const most = state.offer?.limits?.uploadBytes ?? Infinity;
  if (file.size > most) {
    fail({ kind: 'body-too-large' }, file, tooBig(file.size, most));
    return;
  }
  show('reading');
  parts.picture.src = URL.createObjectURL(file);
  try {
    const record = await api.readRecord(file);
    if (mine !== number) {
      return;
    }
    hide();
    if (record.request) {
      showRecord(file, record, canBegin() ? beginFromFile : undefined);
    } else {
      await beginOrFail(file);
    }
  } catch (/** @type {any} */ problem) {
    if (mine === number && problem.kind === 'no-record') {
      hide();
      await beginOrFail(file);
    } else if (mine === number) {
      fail(problem, file, problem.kind === 'body-too-large' ? tooBig(file.size, most) : undefined);
    }
  }
}

/**
 * A picture without a record can only be begun from.
 * @param {File} file
 */
async function beginOrFail(file) {
  if (canBegin()) {
    goTo('studio');
    await beginFromFile(file);
  } else {
    fail({ kind: 'no-record' }, file);
  }
}

/**
 * Writes into the frame why nothing could be read.
 * @param {any} problem
 * @param {File} file
 * @param {string} [text]
 */
function fail(problem, file, text) {
  const remedies = [{ label: t('read_other'), does: choose }, { label: t('close'), does: hide }];
  const hint = problem.kind === 'not-a-picture' && el('p', { class: 'drop-hint' }, t('err_file_fix'));
  const isKnown = ['not-a-picture', 'no-record', 'body-too-large'].includes(problem.kind);
  const box = problemBox(isKnown ? { kind: problem.kind } : problem, { text: text ?? sentenceOf(problem), remedies });
  show('failed');
  parts.error.replaceChildren(...[el('p', { class: 'drop-file', dir: 'auto' }, file.name), box, hint].filter(Boolean));
  box.querySelector('button').focus();
}

/** @param {string} name */
function show(name) {
  if (parts.host.hidden) {
    // A dialog would cover the frame and hold the focus.
    document.querySelectorAll('dialog:modal').forEach((/** @type {any} */ dialog) => dialog.close());
    say(t('drop'));
  }
  parts.host.dataset.state = name;
  if (name !== 'failed') {
    parts.error.replaceChildren();
  }
  clearPicture();
  parts.host.hidden = false;
  document.documentElement.classList.add('dropping');
}

function hide() {
  parts.host.hidden = true;
  parts.host.dataset.state = '';
  parts.error.replaceChildren();
  clearPicture();
  document.documentElement.classList.remove('dropping');
}

function clearPicture() {
  URL.revokeObjectURL(parts.picture.src);
  parts.picture.removeAttribute('src');
}
