// The waiting pictures, under the note: their order can be changed, each can be taken back to the desk or removed.
import { takeRequest } from './actions.js';
import * as api from './api.js';
import { byId, el, icon } from './dom.js';
import { sentenceOf } from './errors.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { firstWords, frameName, visionOf } from './picture-words.js';
import { hiresFacts } from './hires.js';
import { QueueDrag } from './queue-drag.js';
import { say } from './say.js';
import { addKey } from './shortcuts.js';
import { formatOf } from './sizes.js';
import { sourceFacts } from './source.js';
import { change, on, set, state, waiting } from './store.js';
import { tell, undoBy } from './toast.js';

/** @typedef {import('./store.js').Job} Job */

/** The heading has the number of waiting pictures when there are more than this. */
const few = 4;

/** @type {Record<string, any>} */
const parts = {};
/** @type {Map<string, HTMLElement>} */
let rows = new Map();
/** @type {string | null} */
let written = null;

/** Builds the list and follows the store. */
export function start() {
  parts.title = el('h2', { id: 'queue-title', class: 'queue-title' });
  parts.clear = el('button', { class: 'queue-clear', type: 'button', onclick: removeAll });
  parts.list = el('ol', { class: 'queue-list', 'aria-labelledby': 'queue-title' });
  parts.host = byId('queue');
  parts.host.append(el('header', { class: 'queue-head' }, parts.title, parts.clear), parts.list);
  parts.drag = new QueueDrag(parts.list, move);
  on('queue', show);
  on('jobs', show);
  onLanguage(() => {
    written = null;
    rows = new Map();
    show();
  });
  for (const step of [-1, 1]) {
    const key = step < 0 ? 'ArrowUp' : 'ArrowDown';
    addKey({ key, alt: true, does: 'key_queue', when: () => focused() !== undefined, run: () => moveBy(focused(), step) });
  }
  show();
}

/** The id of the waiting picture in whose row the focus is. */
function focused() {
  return /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest('.waiting'))?.dataset.id;
}

/** Shows the waiting jobs. Rows keep their elements, so the focus stays where it is. */
function show() {
  const jobs = waiting();
  const now = jobs.map((job) => job.id).join();
  if (now === written || parts.drag.isDragging) {
    return;
  }
  written = now;
  parts.host.hidden = jobs.length === 0;
  parts.title.textContent = jobs.length > few ? `${t('queue')} ${jobs.length}` : t('queue');
  parts.clear.textContent = t('q_clear');
  parts.clear.hidden = jobs.length < 2;
  const lost = parts.list.contains(document.activeElement) ? document.activeElement : null;
  const place = [...rows.keys()].indexOf(focused() ?? '');
  rows = new Map(jobs.map((job) => [job.id, rows.get(job.id) ?? rowOf(job)]));
  parts.list.replaceChildren(...rows.values());
  [...rows.values()].forEach((row, index) => row.querySelector('.waiting-sheet')?.toggleAttribute('aria-disabled', index === 0));
  restoreFocus(lost, place);
}

/**
 * Gives the focus back that moving or removing rows took away.
 * @param {any} lost
 * @param {number} place
 */
function restoreFocus(lost, place) {
  if (lost === null) {
    return;
  }
  const next = [...rows.values()][Math.min(place, rows.size - 1)]?.querySelector('.waiting-remove');
  (lost.isConnected ? lost : next ?? byId('stage'))?.focus({ preventScroll: true });
}

/** @param {Job} job */
function rowOf(job) {
  const request = job.request ?? {};
  const words = firstWords(visionOf(job), 80) || t('untitled');
  const name = (/** @type {string} */ key) => `${t(key)}: ${words}`;
  const sheet = el('span', { class: 'waiting-shape' });
  const ratio = (request.width ?? 1) / (request.height ?? 1);
  sheet.style.width = `${Math.round(Math.min(30, 26 * Math.sqrt(ratio)))}px`;
  sheet.style.aspectRatio = String(ratio);
  const up = el('button', { class: 'waiting-sheet', type: 'button', title: t('q_up'), 'aria-label': name('q_up') }, sheet, icon('up'));
  up.addEventListener('click', () => !parts.drag.wasDrag && moveBy(job.id, -1));
  const row = el('li', { class: 'waiting' },
    up,
    el('div', { class: 'waiting-text', title: [request.prompt ?? '', ...factsOf(job)].join('\n') },
      el('span', { class: 'waiting-words', dir: 'auto' }, words),
      el('span', { class: 'waiting-facts' }, factsOf(job).join(' · '))),
    job.kind !== 'verify' && el('button', {
      class: 'waiting-edit', type: 'button', title: t('q_edit'), 'aria-label': name('q_edit'), onclick: () => edit(job),
    }, icon('pencil')),
    el('button', {
      class: 'waiting-remove', type: 'button', title: t('q_del'), 'aria-label': name('q_del'), onclick: () => removeOne(job),
    }, icon('close')));
  row.dataset.id = job.id;
  return row;
}

/** @param {Job} job */
function factsOf(job) {
  const request = job.request ?? {};
  const format = formatOf(request.width ?? 1, request.height ?? 1, 0.04);
  const facts = [format?.ratio ?? `${request.width} × ${request.height}`];
  if (job.kind === 'verify') {
    return [t('verify'), ...facts];
  }
  // The name of what it begins from is too long for this line.
  facts.push(...sourceFacts(request).slice(1), ...hiresFacts(request));
  if (request.frame && request.frame !== 'none') {
    facts.push(frameName(request.frame));
  }
  if (request.seed !== undefined) {
    facts.push(job.count > 1 ? `${request.seed} – ${BigInt(request.seed) + BigInt(job.count - 1)}` : request.seed);
  }
  if (job.count > 1) {
    facts.push(`× ${job.count}`);
  }
  return facts;
}

/**
 * @param {any} id
 * @param {number} step
 */
function moveBy(id, step) {
  move(id, state.queue.indexOf(id) + step);
}

/**
 * Moves a job to a place: at once on the page, then on the server, whose event has the last word.
 * @param {string} id
 * @param {number} wanted
 */
async function move(id, wanted) {
  const before = state.queue;
  const place = Math.min(before.length - 1, Math.max(0, wanted));
  if (!before.includes(id) || place === before.indexOf(id)) {
    written = null;
    show();
    return;
  }
  const others = before.filter((each) => each !== id);
  set('queue', [...others.slice(0, place), id, ...others.slice(place)]);
  say(t('moved', { n: place + 1 }));
  try {
    await api.moveJob(id, place);
  } catch (problem) {
    set('queue', before.filter((each) => state.queue.includes(each)));
    tell(sentenceOf(problem));
  }
}

/**
 * Takes a job back to the desk.
 * @param {Job} job
 */
async function edit(job) {
  const place = state.queue.indexOf(job.id);
  const before = state.settings;
  if (!await drop([job])) {
    return;
  }
  takeRequest(job.request);
  change({ count: job.count ?? 1 });
  byId('vision').focus();
  tell(t('q_taken'), undoBy(() => {
    change(before);
    putBack([job], place);
  }));
}

/** @param {Job} job */
async function removeOne(job) {
  const place = state.queue.indexOf(job.id);
  const dropping = drop([job]);
  // Undoing is offered at once, and waits for the answer where it is faster.
  tell(t('q_removed'), undoBy(async () => await dropping && putBack([job], place)));
  const toast = state.toast;
  if (!await dropping && state.toast === toast) {
    set('toast', null);
  }
}

async function removeAll() {
  const jobs = waiting();
  try {
    const { jobs: removed } = await api.deleteJobs();
    const ids = removed.map((/** @type {Job} */ job) => job.id);
    set('queue', state.queue.filter((id) => !ids.includes(id)));
    byId('stage')?.focus({ preventScroll: true });
    tell(t('q_removed_n', { n: removed.length }), undoBy(() => putBack(jobs.filter((job) => ids.includes(job.id)), 0)));
  } catch (problem) {
    tell(sentenceOf(problem));
  }
}

/**
 * Takes jobs out of the queue. A job that has begun in the meantime is left alone.
 * @param {Job[]} jobs
 */
async function drop(jobs) {
  try {
    for (const job of jobs) {
      if (!state.queue.includes(job.id)) {
        return false;
      }
      await api.deleteJob(job.id);
      set('queue', state.queue.filter((id) => id !== job.id));
    }
    return true;
  } catch (problem) {
    tell(sentenceOf(problem));
    return false;
  }
}

/**
 * Accepts jobs anew and moves them to where they were.
 * @param {Job[]} jobs
 * @param {number} place
 */
async function putBack(jobs, place) {
  try {
    for (const [index, job] of jobs.entries()) {
      const again = job.kind === 'verify' ? await api.verifyPicture(job.picture) : await api.postJob({ ...job.request, count: job.count });
      if (again.state === 'waiting') {
        await api.moveJob(again.id, place + index);
      }
    }
  } catch (problem) {
    tell(sentenceOf(problem));
  }
}
