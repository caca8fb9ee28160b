// What has to be there before the first picture, each line done or open with its remedy.
import * as api from './api.js';
import { chineseOf, saidBy } from './codes.js';
import { byId, el, icon } from './dom.js';
import { sentenceOf } from './errors.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { on, running, state } from './store.js';

/**
 * The short words of each line: for what is done, for what is open, and its remedy.
 * @type {Record<string, string[]>}
 */
const words = {
  model: ['has_model', 'lacks_model', 'fix_model'],
  precision: ['has_half', 'lacks_half', 'fix_half'],
  sanctum: ['has_room', 'lacks_room', 'fix_room'],
  device: ['has_device', 'lacks_device', 'fix_device'],
  speed: ['has_speed', 'lacks_speed', 'fix_speed'],
  gallery: ['has_gallery', 'lacks_gallery', 'fix_gallery'],
};

/** Follows the store: the list stands at the side until there is a first picture. */
export function start() {
  for (const key of ['server', 'galleryCount', 'queue', 'jobs']) {
    on(key, show);
  }
  onLanguage(() => {
    byId('side-extra').replaceChildren();
    show();
  });
}

function show() {
  const host = byId('side-extra');
  const isFirst = state.server !== null && state.galleryCount === 0 && state.current === null
    && running() === null && state.queue.length === 0;
  const isShown = host.querySelector('.checklist') !== null;
  if (isFirst && !isShown) {
    host.append(checklistBox('checklist-title', true));
  } else if (!isFirst && isShown) {
    host.querySelector('.checklist')?.remove();
  }
}

/**
 * The list, which fills itself.
 * @param {string} id The id of its heading.
 * @param {boolean} [isShort] Whether it has short words alone, in the page's language, and the server's sentences as tooltips.
 */
export function checklistBox(id, isShort = false) {
  const list = el('ul', { class: 'checklist-lines', 'aria-busy': 'true' });
  const box = el('div', { class: 'checklist' }, el('h2', { class: 'checklist-title', id }, t('check_t')), list);
  api.getChecklist().then(
    ({ lines }) => list.replaceChildren(...lines.map((/** @type {any} */ line) => lineOf(line, isShort))),
    (problem) => list.replaceChildren(el('li', { class: 'open' }, icon('mark'), el('div', {}, el('p', {}, sentenceOf(problem))))),
  ).finally(() => list.removeAttribute('aria-busy'));
  return box;
}

/**
 * @param {{key: string, isDone: boolean, finding: string, remedy?: string, code?: string, remedyCode?: string, arguments?: any}} line
 * @param {boolean} isShort
 */
function lineOf({ key, isDone, finding, remedy, code, remedyCode, arguments: values }, isShort) {
  const [done, open, fix] = words[key] ?? [];
  const name = el('p', null, el('span', { class: 'unseen' }, t(isDone ? 'check_done' : 'check_open')), t(isDone ? done : open));
  const short = isDone ? [name] : [name, el('p', { class: 'checklist-finding' }, t(fix))];
  const full = [saidBy('checklist-finding', finding, code, values), remedy && saidBy('checklist-finding', remedy, remedyCode, values)];
  const told = done === undefined ? full : isShort ? short : [name, ...full];
  const line = el('li', { class: isDone ? 'done' : 'open' }, icon(isDone ? 'tick' : 'mark'), el('div', null, ...told));
  line.title = isShort ? chineseOf(code, values) ?? finding : '';
  return line;
}
