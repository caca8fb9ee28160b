// The large view: one picture in a dark room, with its words and all actions below it.
import * as actions from './actions.js';
import { openDialog } from './dialogs.js';
import { byId, el, icon } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { LargePicture } from './large-picture.js';
import { goTo } from './navigation.js';
import { countOf } from './jobs.js';
import { factsOf, firstWords, visionOf } from './picture-words.js';
import { removePictures } from './remove-pictures.js';
import { say } from './say.js';
import { lettersAreOn } from './shortcuts.js';
import { beginFromPicture, canBegin } from './source.js';
import { on, set, state } from './store.js';

/** @typedef {import('./store.js').Picture} Picture */

/**
 * @typedef {object} LargeSource Where the neighbours come from.
 * @property {() => Picture[]} pictures The pictures, newest first.
 * @property {() => Promise<void>} [more] Loads further pictures.
 * @property {(last: any) => void} [left] Called with the picture that was seen last.
 */

/** @type {Record<string, any>} */
const parts = {};
/** @type {LargePicture} */
let view;
/** @type {LargeSource} */
let source;
/** @type {any} */
let shown;

/** Builds the view and follows the store. */
export function start() {
  build();
  listen();
  onLanguage(speak);
  on('verified', showVerified);
  on('jobs', showVerified);
  on('large', (id) => {
    if (id === null) {
      parts.dialog.open && parts.dialog.close();
    } else if (id !== shown?.id) {
      const picture = [state.current, ...state.pictures].find((each) => each?.id === id);
      picture && openLarge(picture, { pictures: () => state.pictures });
    }
  });
}

/**
 * Opens the view.
 * @param {Picture} picture
 * @param {LargeSource} from
 */
export function openLarge(picture, from) {
  source = from;
  show(picture);
  if (!parts.dialog.open) {
    openDialog(parts.dialog, closed);
  }
  parts.dialog.focus({ preventScroll: true });
  view.fit();
}

function build() {
  view = new LargePicture();
  parts.title = el('p', { class: 'large-title', dir: 'auto' });
  parts.facts = el('p', { class: 'large-facts' });
  parts.outcome = el('span', { class: 'large-outcome' });
  parts.actions = el('div', { class: 'large-actions', role: 'group' });
  parts.before = el('button', { class: 'large-step before', type: 'button', onclick: () => step(-1) }, icon('left'));
  parts.after = el('button', { class: 'large-step after', type: 'button', onclick: () => step(1) }, icon('right'));
  parts.close = el('button', { class: 'large-close', type: 'button', onclick: () => parts.dialog.close() }, icon('close'));
  parts.dialog = el('dialog', { class: 'large', tabIndex: -1 },
    view.element, parts.before, parts.after,
    el('div', { class: 'large-foot' }, el('div', { class: 'large-label' }, parts.title, parts.facts), parts.actions),
    parts.close, el('div', { class: 'unseen', role: 'status', 'data-live': '' }));
  byId('overlays').append(parts.dialog);
}

function listen() {
  view.onSwipe = step;
  parts.dialog.addEventListener('keydown', pressed);
  addEventListener('resize', () => parts.dialog.open && view.fit());
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const isLetter = /^[a-z]$/i.test(event.key);
  if (event.ctrlKey || event.metaKey || event.altKey || (isLetter && !lettersAreOn())) {
    return;
  }
  const list = source.pictures();
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => step(-1), ArrowDown: () => step(1),
    Home: () => list.length > 0 && show(list[0]), End: () => list.length > 0 && show(list[list.length - 1]),
    '+': () => view.zoom(1.4), '=': () => view.zoom(1.4), '-': () => view.zoom(1 / 1.4), 0: () => view.fit(),
    Delete: removeShown,
  };
  const does = keys[event.key] ?? (isLetter ? clickOf(letters[event.key.toLowerCase()]) : undefined);
  if (does !== undefined) {
    event.preventDefault();
    does();
  }
}

/**
 * Letters and the actions that they stand for, as in the studio.
 * @type {Record<string, string>}
 */
const letters = { n: 'again', r: 'recall', i: 'start', d: 'down', t: 'copy', v: 'verify' };

/** @param {string | undefined} action */
function clickOf(action) {
  const button = action === undefined ? null : parts.actions.querySelector(`[data-action="${action}"]`);
  return button === null ? undefined : () => button.click();
}

function closed() {
  const last = shown;
  shown = undefined;
  view.clear();
  set('large', null);
  source.left?.(last);
}

/**
 * Shows a picture and loads its neighbours.
 * @param {Picture} picture
 */
function show(picture) {
  shown = picture;
  if (state.large !== picture.id) {
    set('large', picture.id);
  }
  view.show(picture, visionOf(picture));
  speak();
  preload();
}

function preload() {
  for (const neighbour of [neighbourOf(1), neighbourOf(-1)]) {
    if (neighbour !== undefined) {
      new Image().src = neighbour.file;
    }
  }
}

/** @param {number} way */
function neighbourOf(way) {
  const list = source.pictures();
  const place = list.findIndex((each) => each.id === shown?.id);
  return place < 0 ? undefined : list[place + way];
}

/** @param {number} way */
async function step(way) {
  if (way > 0 && neighbourOf(3) === undefined && source.more !== undefined) {
    const more = source.more();
    neighbourOf(1) === undefined && await more;
  }
  const neighbour = neighbourOf(way);
  if (neighbour === undefined) {
    view.fit();
    return;
  }
  show(neighbour);
  const list = source.pictures();
  const place = t('picture_of', { n: list.indexOf(neighbour) + 1, m: Math.max(list.length, state.galleryCount) });
  say(`${firstWords(visionOf(neighbour)) || t('untitled')}. ${place}`);
}

function removeShown() {
  const picture = shown;
  const next = neighbourOf(1) ?? neighbourOf(-1);
  removePictures([picture]);
  if (next === undefined) {
    parts.dialog.close();
  } else {
    show(next);
    parts.dialog.focus({ preventScroll: true });
  }
}

/** Writes all texts for the picture that is shown. */
function speak() {
  parts.before.setAttribute('aria-label', t('prev'));
  parts.after.setAttribute('aria-label', t('next'));
  parts.close.setAttribute('aria-label', t('close'));
  parts.actions.setAttribute('aria-label', t('actions'));
  if (shown === undefined) {
    return;
  }
  const vision = visionOf(shown);
  parts.dialog.setAttribute('aria-label', vision.slice(0, 400) || t('untitled'));
  parts.title.textContent = firstWords(vision, 140) || t('untitled');
  parts.title.title = vision;
  parts.facts.replaceChildren(...factsOf(shown).map((fact) => el('span', {}, fact)), parts.outcome);
  parts.before.disabled = neighbourOf(-1) === undefined;
  parts.after.disabled = neighbourOf(1) === undefined && source.more === undefined;
  showActions();
}

function showActions() {
  const picture = shown;
  const hasRecord = picture.request !== undefined && picture.request !== null;
  const leave = (/** @type {(picture: Picture) => void} */ does) => () => {
    source = { ...source, left: undefined };
    parts.dialog.close();
    goTo('studio');
    does(picture);
  };
  /** @type {any[]} */
  const offered = [
    hasRecord && ['again', 'again', () => actions.again(picture)],
    hasRecord && ['recall', 'recall', leave(actions.recall)],
    canBegin() && ['start', 'pencil', leave(beginFromPicture)],
    ['down', 'download', () => actions.download(picture)],
    hasRecord && ['copy', 'copy', async () => await actions.copyText(picture) && flash('copy', 'copied')],
    hasRecord && ['verify', 'verify', () => actions.verify(picture)],
    ['del', 'trash', removeShown],
  ];
  parts.actions.replaceChildren(...offered.filter(Boolean).map(([key, image, does]) => {
    const button = el('button', { type: 'button', onclick: does }, icon(image), el('span', {}, t(key)));
    button.dataset.action = key;
    return button;
  }));
  showVerified();
}

/**
 * Writes another word on an action for 2 s.
 * @param {string} key
 * @param {string} word
 */
function flash(key, word) {
  const text = parts.actions.querySelector(`[data-action="${key}"] span`);
  if (text !== null) {
    text.textContent = t(word);
    setTimeout(() => (text.textContent = t(key)), 2000);
  }
}

/** Shows how far a verification is, or what it found. */
function showVerified() {
  if (shown === undefined) {
    return;
  }
  const outcome = state.verified[shown.id];
  const job = state.jobs.find((each) => each.id === outcome?.job);
  const button = parts.actions.querySelector('[data-action="verify"]');
  const isRunning = outcome?.state === 'running';
  button?.toggleAttribute('aria-busy', isRunning);
  if (button !== null) {
    button.disabled = isRunning;
  }
  view.stamp(outcome?.state === 'done' && outcome.holds === true);
  parts.outcome.className = outcome?.state === 'done' && !outcome.holds ? 'large-outcome differs' : 'large-outcome';
  parts.outcome.textContent = outcomeText(outcome, job);
}

/**
 * @param {any} outcome
 * @param {any} job
 */
function outcomeText(outcome, job) {
  switch (outcome?.state) {
    case 'running': return [t('verifying'), job && countOf(job)].filter(Boolean).join(' · ');
    case 'done': return outcome.holds ? t('verified') : mismatch(outcome);
    case 'failed': return outcome.problem?.message ?? t('failed');
    default: return '';
  }
}

/** @param {any} outcome */
function mismatch(outcome) {
  return outcome.divergesAtStep === undefined || outcome.divergesAtStep === null
    ? t('mismatch_plain')
    : t('mismatch', { n: outcome.divergesAtStep });
}
