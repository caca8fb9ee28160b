import { paint, stop, takeRequest } from './actions.js';
import { el, icon, byId } from './dom.js';
import { t, duration, onLanguage } from './i18n.js';
import { addKey } from './shortcuts.js';
import { state, on, set, running } from './store.js';

/** The job that ended last without a picture in this sitting. @type {Record<string, any> | null} */
let ended = null;
let watched = '';

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
  if (before && (before.state === 'failed' || before.state === 'stopped')) {
    ended = before;
  }
  watched = job?.id ?? '';
  if (job) {
    ended = null;
  }
  const host = byId('note');
  const parts = job ? during(job) : ended?.state === 'failed' ? failed(ended) : ended ? [title(t('stopped'))] : [];
  const hadFocus = host.contains(document.activeElement);
  host.replaceChildren(...parts);
  if (hadFocus) {
    /** @type {HTMLElement | null} */ (host.querySelector('.stop'))?.focus();
  }
}

/** @param {string} text */
const title = (text) => el('h2', { class: 'note-title hand' }, text);

/** @param {string} text */
const fact = (text) => el('p', { class: 'note-fact' }, text);

/** @param {Record<string, any>} job */
function during(job) {
  const isOpening = job.state === 'opening';
  const name = t(isOpening ? 'opening' : job.kind === 'verify' ? 'verifying' : 'painting');
  const isElsewhere = !state.watching && job.kind !== 'verify';
  const lines = [];
  if (job.count > 1) {
    lines.push(fact(t('picture_of', { n: Math.min(job.count, job.finished + 1), m: job.count })));
  }
  if (!isOpening && job.steps > 0) {
    lines.push(fact(t('step_of', { n: job.step, m: job.steps })));
  }
  if (typeof job.secondsLeft === 'number') {
    lines.push(fact(t('left', { s: duration(job.secondsLeft) })));
  }
  const back = el('button', { class: 'link note-fact', type: 'button', onClick: () => set('watching', true) }, t('look_back'));
  return [
    title(name),
    ...lines,
    isElsewhere ? back : '',
    el('div', null, el('button', { class: 'stop hand', type: 'button', onClick: () => stop(job) }, icon('brush'), t('stop'))),
  ];
}

/** @param {Record<string, any>} job */
function failed(job) {
  const more = job.problem?.message ?? '';
  const [first, rest] = more.includes('\n') ? [more.slice(0, more.indexOf('\n')), more.slice(more.indexOf('\n') + 1)] : [more, ''];
  const remedy = job.kind === 'verify' ? null : el('button', {
    class: 'link',
    type: 'button',
    onClick: () => {
      takeRequest(job.request);
      paint();
    },
  }, t('err_paint_fix'));
  return [
    title(t('failed')),
    el('div', { class: 'problem', role: 'alert' },
      el('p', null, job.step > 0 ? t('err_paint', { n: job.step, x: first.replace(/[.。]$/, '') }) : first),
      rest ? el('details', null, el('summary', { class: 'link' }, t('more')), el('p', null, rest)) : null,
      el('div', { class: 'remedies' }, remedy)),
  ];
}
