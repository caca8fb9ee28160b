// What has to be there before the first picture, each line done or open with its remedy.
import * as api from './api.js';
import { byId, el, icon } from './dom.js';
import { sentenceOf } from './errors.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { on, state } from './store.js';

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
    && !state.jobs.some((job) => ['opening', 'painting', 'waiting'].includes(job.state));
  const isShown = host.querySelector('.checklist') !== null;
  if (isFirst && !isShown) {
    host.append(checklistBox('checklist-title'));
  } else if (!isFirst && isShown) {
    host.querySelector('.checklist').remove();
  }
}

/**
 * The list, which fills itself.
 * @param {string} id The id of its heading.
 */
export function checklistBox(id) {
  const list = el('ul', { class: 'checklist-lines', 'aria-busy': 'true' });
  const box = el('div', { class: 'checklist' }, el('h2', { class: 'checklist-title', id }, t('check_t')), list);
  api.getChecklist().then(
    ({ lines }) => list.replaceChildren(...lines.map(lineOf)),
    (problem) => list.replaceChildren(el('li', { class: 'open' }, icon('mark'), el('div', {}, el('p', {}, sentenceOf(problem))))),
  ).finally(() => list.removeAttribute('aria-busy'));
  return box;
}

function lineOf({ isDone, finding, remedy }) {
  return el('li', { class: isDone ? 'done' : 'open' },
    icon(isDone ? 'tick' : 'mark'),
    el('div', {},
      el('p', { dir: 'auto' }, el('span', { class: 'unseen' }, t(isDone ? 'check_done' : 'check_open')), finding),
      remedy && el('p', { class: 'checklist-remedy', dir: 'auto' }, remedy)));
}
