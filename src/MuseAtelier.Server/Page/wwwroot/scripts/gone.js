// The strip that says that the program has stopped, and that it is back.
import { byId, el } from './dom.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { say } from './say.js';
import { on, running, state } from './store.js';

/** @type {Record<string, any>} */
const parts = {};

/** Builds the strip and follows the connection. */
export function start() {
  parts.text = el('p', { class: 'gone-text' });
  parts.tries = el('p', { class: 'gone-tries' });
  parts.seal = el('span', { class: 'seal gone-seal', 'aria-hidden': 'true' }, '停');
  parts.strip = el('section', { class: 'gone', hidden: true }, parts.seal, parts.text, parts.tries);
  document.body.insertBefore(parts.strip, byId('overlays'));
  on('connection', () => {
    show();
    if (state.connection !== 'on') {
      say(parts.text.textContent);
    }
  });
  // The strip's place and height, for the style sheet: it lies over the wall alone, and the wall makes room for it.
  new ResizeObserver(measure).observe(parts.strip);
  new ResizeObserver(measure).observe(byId('wall'));
  on('view', measure);
  onLanguage(show);
  show();
}

function measure() {
  const left = state.view === 'gallery' ? 0 : Math.round(byId('wall').getBoundingClientRect().left);
  document.documentElement.style.setProperty('--wall-left', `${left}px`);
  document.documentElement.style.setProperty('--strip-height', `${parts.strip.offsetHeight}px`);
}

function show() {
  const isGone = state.connection === 'off';
  const isBack = state.connection === 'back';
  const root = document.documentElement;
  root.classList.toggle('is-gone', isGone);
  root.classList.toggle('is-back', isBack);
  parts.strip.hidden = !isGone && !isBack;
  parts.seal.hidden = !isGone;
  parts.strip.setAttribute('aria-label', t('connection'));
  parts.tries.textContent = isGone ? t('gone_try') : '';
  parts.text.textContent = isGone ? t('gone') : backText();
}

function backText() {
  const left = state.queue.length + (running() === null ? 0 : 1);
  return left > 0 ? t('back', { n: left }) : t('back_plain');
}
