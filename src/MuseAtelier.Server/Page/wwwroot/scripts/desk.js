import { postPlan, postTokens } from './api.js';
import { paint, requestOf } from './actions.js';
import { saidBy } from './codes.js';
import { withoutComments } from './comments.js';
import { el, byId, settled } from './dom.js';
import { sentenceOf } from './errors.js';
import { sideOf } from './hires.js';
import { t, amount, duration, onLanguage } from './i18n.js';
import { addKey } from './shortcuts.js';
import { state, on, set, change, running } from './store.js';

/** Ideographs, kana and hangul: words that the model's English tokenizer takes apart. */
const eastern = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

/** The tokens that one chunk of a prompt holds. */
const chunk = 75;

/** @type {Record<string, any> | null} */
let counts = null;
/** @type {AbortController | null} */
let asked = null;

/** Begins the desk: the words, what is said about them, the button and the bar of the sanctum. */
export function start() {
  bind(byId('vision'), 'prompt');
  bind(byId('avoid'), 'negativePrompt');
  const countSoon = settled(150, count);
  const planSoon = settled(300, plan);
  on('settings', () => {
    fill();
    countSoon();
    planSoon();
  });
  on('server', () => {
    count();
    plan();
  });
  for (const key of ['sanctum', 'plan']) {
    on(key, showSanctum);
  }
  for (const key of ['problem', 'plan']) {
    on(key, showProblem);
  }
  for (const key of ['jobs', 'connection']) {
    on(key, showButton);
  }
  onLanguage(showAll);
  byId('paint').addEventListener('click', press);
  addKey({ key: 'Enter', ctrl: true, does: 'paint', run: press });
  addKey({ key: '/', does: 'vision', when: () => state.view === 'studio', run: () => byId('vision').focus() });
  fill();
  showAll();
}

function showAll() {
  showRoom();
  showNotes();
  showButton();
  showSanctum();
  showProblem();
}

/**
 * Keeps a field and a setting the same.
 * @param {HTMLTextAreaElement} field
 * @param {'prompt' | 'negativePrompt'} name
 */
function bind(field, name) {
  // What was written while the scripts were loading.
  if (field.value !== '') {
    change({ [name]: field.value });
  }
  field.addEventListener('input', () => {
    if (state.problem?.kind === 'nothing') {
      set('problem', null);
    }
    change({ [name]: field.value });
  });
}

function fill() {
  const { prompt, negativePrompt } = state.settings;
  for (const [id, text] of [['vision', prompt], ['avoid', negativePrompt]]) {
    const field = byId(id);
    if (field.value !== text) {
      field.value = text;
    }
  }
  showNotes();
}

function press() {
  const button = byId('paint');
  button.classList.remove('is-pressed');
  void button.offsetWidth;
  button.classList.add('is-pressed');
  paint();
}

async function count() {
  const { prompt, negativePrompt, model, others } = state.settings;
  if (prompt === '' && negativePrompt === '') {
    counts = null;
    showRoom();
    return;
  }
  try {
    const syntax = others.syntax ?? state.offer?.syntaxes?.[0] ?? 'a1111';
    counts = await postTokens({ prompt, negativePrompt, syntax, ...(model ? { model } : {}) });
  } catch {
    counts = null;
  }
  showRoom();
  showNotes();
}

function showRoom() {
  tell(byId('vision-room'), state.settings.prompt, counts?.prompt);
  const avoided = counts?.negativePrompt;
  // Few words are avoided; their count is of interest only near the end.
  tell(byId('avoid-room'), state.settings.negativePrompt, avoided?.room > 20 && avoided.chunks === 1 ? undefined : avoided);
}

/**
 * @param {HTMLElement} output
 * @param {string} text
 * @param {Record<string, any> | undefined} found
 */
function tell(output, text, found) {
  output.removeAttribute('data-over');
  if (text.trim() === '' || !found) {
    output.textContent = '';
  } else if (found.tokens > chunk * found.chunks) {
    output.dataset.over = '';
    output.textContent = t('over', { n: found.tokens - chunk * found.chunks });
  } else if (found.chunks > 1) {
    output.textContent = t('chunks', { n: found.tokens, c: found.chunks });
  } else {
    output.textContent = t(/[()[\]{}<>:|]/.test(text) ? 'room_tokens' : 'room', { n: found.room });
  }
}

function showNotes() {
  const notes = [];
  if (eastern.test(withoutComments(state.settings.prompt, state.settings.others.syntax))) {
    notes.push(el('p', { class: 'notice' }, t('en_only')));
  }
  for (const found of [counts?.prompt, counts?.negativePrompt]) {
    notes.push(...(found?.notices ?? []).map((/** @type {string} */ notice, /** @type {number} */ index) => {
      const { code, arguments: values } = found.noticeCodes?.[index] ?? {};
      return saidBy('notice', notice, code, values);
    }));
  }
  const others = Object.entries(state.settings.others);
  if (others.length > 0) {
    const list = others.map(([name, value]) => `${name} ${value}`).join(' · ');
    notes.push(el('p', { class: 'kept' }, t('also', { x: list }),
      el('button', { class: 'link', type: 'button', onClick: () => change({ others: {} }) }, t('let_go'))));
  }
  byId('vision-notes').replaceChildren(...notes);
}

function showButton() {
  const isBusy = running() !== null;
  const isDark = state.connection === 'off';
  const button = byId('paint');
  const words = byId('paint-words');
  words.dataset.t = isBusy ? 'paint_more' : 'paint';
  words.textContent = t(words.dataset.t);
  button.toggleAttribute('data-more', isBusy);
  if (isDark) {
    button.setAttribute('aria-disabled', 'true');
  } else {
    button.removeAttribute('aria-disabled');
  }
  byId('paint-why').textContent = isDark ? t('paint_off') : '';
}

async function plan() {
  asked?.abort();
  asked = new AbortController();
  if (!state.offer || state.settings.width === 0) {
    return;
  }
  try {
    set('plan', await postPlan({ ...requestOf(state.settings), prompt: state.settings.prompt || ' ' }, asked.signal));
  } catch {
    if (!asked.signal.aborted) {
      set('plan', null);
    }
  }
}

function showSanctum() {
  const { held, budget } = state.sanctum;
  const box = byId('sanctum');
  box.toggleAttribute('data-tight', Boolean(state.plan?.isTight));
  const used = el('span', { class: 'bar-used', style: { transform: `scaleX(${budget > 0 ? Math.min(1, held / budget) : 0})` } });
  const value = t('sanctum_val', { a: (held / 2 ** 30).toFixed(1), b: amount(budget) });
  box.replaceChildren(
    el('span', { class: 'sanctum-name hand' }, t('sanctum')),
    el('span', { class: 'bar', 'aria-hidden': 'true' }, used),
    el('span', { class: 'sanctum-value' }, budget > 0 ? value : ''));
}

function showProblem() {
  const box = byId('desk-problem');
  byId('desk').toggleAttribute('data-nothing', state.problem?.kind === 'nothing');
  const parts = problemParts();
  if (box.textContent !== parts.map((each) => each.textContent).join('')) {
    box.replaceChildren(...parts);
  }
}

/** @returns {HTMLElement[]} */
function problemParts() {
  const { problem, plan: found, settings } = state;
  if (problem && problem.kind !== 'nothing' && problem.kind !== 'budget-too-small') {
    return [el('p', null, sentenceOf(problem))];
  }
  if ((found && !found.fits) || problem) {
    return problem?.kind === 'nothing' ? [] : overBudget(found, settings);
  }
  if (found?.isTight && found.seconds) {
    return [el('p', { class: 'notice' }, t('tight', { s: duration(found.seconds) }))];
  }
  return [];
}

/**
 * @param {Record<string, any> | null} found
 * @param {import('./store.js').Settings} settings
 */
function overBudget(found, settings) {
  const remedies = [];
  const largest = found?.largest;
  if (largest) {
    const { width, height } = largest;
    remedies.push(el('button', {
      class: 'link',
      type: 'button',
      onClick: () => {
        set('problem', null);
        change({ width, height });
      },
    }, t('err_fix1', { w: width, h: height })));
  }
  const how = el('details', null, el('summary', { class: 'link' }, t('err_fix2')), el('p', null, t('fix_how')));
  const budget = amount(found?.budget ?? state.sanctum.budget);
  const scale = settings.hires?.scale ?? 1;
  return [
    el('p', null, t('err_mem', { b: budget, w: sideOf(settings.width, scale), h: sideOf(settings.height, scale) })),
    el('div', { class: 'remedies' }, ...remedies, how),
  ];
}
