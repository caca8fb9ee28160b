import { paintRequest, stop } from './actions.js';
import { el, icon, byId } from './dom.js';
import { t, duration, onLanguage } from './i18n.js';
import { countOf, isEnlarging } from './jobs.js';
import { addKey } from './shortcuts.js';
import { state, on, set, running } from './store.js';

/** The job that ended last without a picture in this sitting. @type {Record<string, any> | null} */
let ended = null;
let watched = '';
/** What the note shows: it is built anew only when that changes, so that a button stays while it is pressed. */
let shown = '';

/** Begins the note beside the easel: what is being done, how long it takes, and how to stop it. */
export function start() {
  on('jobs', show);
  on('watching', show);
  on('current', () => {
    ended = null;
    show();
  });
  onLanguage(show);
  addKey({ key: '.', ctrl: true, does: 'stop', run: stopRunning });
}

function stopRunning() {
  const job = running();
  if (job) {
    stop(job);
  }
}

function show() {
  const job = running();
  const before = state.jobs.find((each) => each.id === watched);
  // A job that was stopped before its first preview leaves nothing to look at.
  if (before && (before.state === 'failed' || (before.state === 'stopped' && before.preview > 0))) {
    ended = before;
  }
  watched = job?.id ?? '';
  if (job) {
    ended = null;
  }
  const host = byId('note');
  const key = job ? `${job.id} ${nameOf(job)} ${isElsewhere(job)}` : ended ? `${ended.id} ${ended.state} ${t('stopped')}` : '';
  if (key === shown) {
    showLines(job);
    return;
  }
  shown = key;
  const parts = job ? during(job) : ended?.state === 'failed' ? failed(ended) : ended ? halted(ended) : [];
  const hadFocus = host.contains(document.activeElement);
  host.replaceChildren(...parts);
  showLines(job);
  if (hadFocus) {
    /** @type {HTMLElement | null} */ (host.querySelector('.stop'))?.focus();
  }
}

/** @param {string} text */
const title = (text) => el('h2', { class: 'note-title hand' }, text);

/** @param {string} text */
const fact = (text) => el('p', { class: 'note-fact' }, text);

/** @param {Record<string, any>} job */
function nameOf(job) {
  if (job.state === 'opening') {
    return t('opening');
  }
  if (job.kind === 'verify') {
    return t('verifying');
  }
  if (isEnlarging(job)) {
    return t('enlarging');
  }
  // The steps are done; the picture is decoded, framed and written.
  return t(job.steps > 0 && job.step >= job.steps ? 'finishing' : 'painting');
}

/** @param {Record<string, any>} job */
const isElsewhere = (job) => !state.watching && job.kind !== 'verify';

/** @param {Record<string, any> | null} job */
function showLines(job) {
  const host = byId('note').querySelector('.note-lines');
  if (!job || !host) {
    return;
  }
  const lines = [];
  if (job.count > 1) {
    lines.push(fact(t('picture_of', { n: Math.min(job.count, job.finished + 1), m: job.count })));
  }
  if (countOf(job)) {
    lines.push(fact(countOf(job)));
  }
  if (typeof job.secondsLeft === 'number') {
    lines.push(fact(t('left', { s: duration(job.secondsLeft) })));
  }
  host.replaceChildren(...lines);
}

/** @param {Record<string, any>} job */
function during(job) {
  const back = el('button', { class: 'link note-fact', type: 'button', onClick: () => set('watching', true) }, t('look_back'));
  return [
    title(nameOf(job)),
    el('div', { class: 'note-lines' }),
    isElsewhere(job) ? back : '',
    el('div', null, el('button', { class: 'stop hand', type: 'button', onClick: () => stop(job) }, icon('brush'), t('stop'))),
  ];
}

/** @param {Record<string, any>} job */
function failed(job) {
  const more = job.problem?.message ?? '';
  const [first, rest] = more.includes('\n') ? [more.slice(0, more.indexOf('\n')), more.slice(more.indexOf('\n') + 1)] : [more, ''];
  return [
    title(t('failed')),
    el('div', { class: 'problem', role: 'alert' },
      el('p', null, job.step > 0 ? t('err_paint', { n: job.step, x: first.replace(/[.。]$/, '') }) : first),
      rest ? el('details', null, el('summary', { class: 'link' }, t('more')), el('p', null, rest)) : null,
      el('div', { class: 'remedies' }, retry(job))),
  ];
}

/** @param {Record<string, any>} job */
const halted = (job) => [title(t('stopped')), fact(t('kept')), retry(job)];

/** @param {Record<string, any>} job */
function retry(job) {
  if (job.kind === 'verify') {
    return '';
  }
  return el('button', { class: 'link', type: 'button', onClick: () => paintRequest(job.request) }, t('err_paint_fix'));
}
