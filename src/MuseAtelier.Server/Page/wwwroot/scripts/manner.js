// The drawer of manners: those in use with their strengths, those that can be taken up, and the imprints that words may name.
import { byId, el, icon, renew } from './dom.js';
import { languageOf, t } from './i18n.js';
import {
  alter, areWritten, factsOf, find, hasImprints, hasManners, isInUse, leave, load, take, titleOf, wordOf, write,
} from './manners.js';
import { sliderField } from './slider.js';
import { state } from './store.js';

/** @typedef {import('./manners.js').Listed} Listed */

/** The most rows that are shown; the search finds the others. */
const most = 80;

let sought = '';

/**
 * The contents of the drawer below its head.
 * @param {(() => void)[]} syncs Receives what brings them in line with the settings.
 * @returns {HTMLElement[]}
 */
export function mannerRows(syncs) {
  load();
  const search = el('input', {
    id: 'manner-search', type: 'search', autocomplete: 'off', spellcheck: false, 'aria-label': t('manner_find'),
    placeholder: t('manner_find'), value: sought,
    onInput: () => {
      sought = search.value;
      syncs.forEach((each) => each());
    },
  });
  const used = usedList(syncs);
  // What is found stands right below the search.
  syncs.push(() => {
    used.hidden = state.settings.loras.length === 0 || sought.trim() !== '';
    search.value = sought;
  });
  const parts = [
    el('p', { class: 'manner-sub' }, t('manner_sub')),
    el('div', { class: 'gallery-search manner-search', role: 'search' }, icon('search'), search),
    used,
  ];
  if (hasManners()) {
    parts.push(offeredList(syncs));
  }
  if (hasImprints()) {
    parts.push(...imprintList(syncs));
  }
  parts.push(el('footer', { class: 'manner-foot' },
    hasManners() && el('p', null, t('manner_tag')),
    el('button', { class: 'link', type: 'button', onClick: () => load(true) }, t('manner_refresh'))));
  return parts;
}

/**
 * Builds the contents of a list anew only when they change, so that what has the focus stays.
 * @param {HTMLElement} list
 * @param {unknown} key
 * @param {() => HTMLElement[]} build
 */
function fill(list, key, build) {
  const text = JSON.stringify(key);
  if (list.dataset.key === text) {
    return;
  }
  list.dataset.key = text;
  renew(list, ...build());
}

/** @param {(() => void)[]} syncs */
function usedList(syncs) {
  const list = el('ul', { class: 'manner-used', 'aria-label': t('manner') });
  /** @type {(() => void)[]} */
  let cards = [];
  syncs.push(() => {
    const key = state.settings.loras.map(({ name, textStrength }) => [name, textStrength === null, find(name) ?? null]);
    fill(list, key, () => {
      cards = [];
      return state.settings.loras.map(({ name }, index) => card(name, index, cards));
    });
    cards.forEach((each) => each());
  });
  return list;
}

/**
 * A manner in use.
 * @param {string} name
 * @param {number} index
 * @param {(() => void)[]} syncs
 */
function card(name, index, syncs) {
  const listed = find(name);
  const id = `manner-${index}`;
  const now = () => state.settings.loras.find((each) => each.name === name) ?? { strength: 1, textStrength: null };
  const limit = state.offer?.limits?.mostLoraStrength ?? 100;
  const range = { least: -2, most: 2, limit, floor: -limit, step: 0.05, digits: 1 };
  const strength = sliderField({
    id, label: t('strength'), title: t('words_strength'), ...range,
    get: () => now().strength, set: (value) => alter(name, { strength: value }),
  });
  const isApart = now().textStrength !== null;
  const apart = isApart && sliderField({
    id: `${id}-text`, label: t('strength_words'), title: t('words_text_strength'), ...range,
    get: () => now().textStrength ?? now().strength, set: (value) => alter(name, { textStrength: value }),
  });
  for (const field of [strength, apart]) {
    if (field) {
      field.element.classList.add('manner-strength');
      syncs.push(field.sync);
    }
  }
  return el('li', { class: 'manner-card' },
    el('div', { class: 'manner-head' },
      el('h3', { class: 'manner-name', dir: 'auto', lang: languageOf(titleOf(name)) }, titleOf(name)),
      el('button', {
        id: `${id}-drop`, class: 'icon-button', type: 'button', title: t('manner_drop', { x: name }),
        'aria-label': t('manner_drop', { x: name }), onClick: () => drop(name),
      }, icon('close'))),
    el('p', { class: listed ? 'craft-fact' : 'notice' }, listed ? factsOf(listed) : t('manner_missing')),
    wordButtons(listed, syncs),
    strength.element,
    apart && apart.element,
    el('button', {
      id: `${id}-apart`, class: 'link manner-apart', type: 'button', title: t('words_text_strength'),
      onClick: () => alter(name, { textStrength: isApart ? null : now().strength }),
    }, t(isApart ? 'text_same' : 'text_apart')));
}

/** @param {string} name */
function drop(name) {
  leave(name);
  byId('manner-search')?.focus();
}

/**
 * The trigger words; a click writes them into the Vision.
 * @param {Listed | undefined} listed
 * @param {(() => void)[]} syncs
 */
function wordButtons(listed, syncs) {
  const words = listed?.triggerWords ?? [];
  if (words.length === 0) {
    return null;
  }
  const buttons = words.map((/** @type {string} */ each) => {
    const button = el('button', {
      class: 'manner-word', type: 'button', dir: 'auto', title: t('words_put', { x: each }),
      onClick: () => areWritten(each) || write(each),
    }, each);
    syncs.push(() => button.setAttribute('aria-pressed', String(areWritten(each))));
    return button;
  });
  return el('div', { class: 'manner-words', role: 'group', 'aria-label': t('needs') }, el('span', null, t('needs')), ...buttons);
}

/**
 * Those among listed ones in which what is sought occurs.
 * @param {Listed[]} all
 */
function found(all) {
  const words = sought.trim().toLowerCase();
  return all.filter(({ name, title, alias, triggerWords = [] }) => {
    return [name, title, alias, ...triggerWords].some((each) => each?.toLowerCase().includes(words));
  });
}

/** @param {(() => void)[]} syncs */
function offeredList(syncs) {
  const list = el('ul', { class: 'manner-list', 'aria-label': t('manner_add') });
  const note = el('p', { class: 'manner-note', role: 'status' });
  syncs.push(() => {
    const all = state.loras ?? [];
    // Those that cannot be used come last.
    const free = found(all).filter(({ name }) => !isInUse(name));
    const rows = [...free.filter((each) => !each.problem), ...free.filter((each) => each.problem)];
    fill(list, [rows.map((each) => each.name), rows.length, all.length], () => rows.slice(0, most).map(row));
    const rest = rows.length - most;
    note.textContent = state.loras === null ? ''
      : all.length === 0 ? t('manner_none')
        : found(all).length === 0 ? t('manner_not_found', { x: sought.trim() })
          : rest > 0 ? t('manner_rest', { n: rest }) : '';
  });
  return el('div', null, list, note);
}

/**
 * A manner that can be taken up, or why it cannot.
 * @param {Listed} lora
 */
function row(lora) {
  const { name, title, problem, triggerWords = [] } = lora;
  const facts = problem ? t('manner_unfit') : factsOf(lora);
  return el('li', null, el('button', {
    class: 'manner-row', type: 'button', 'aria-disabled': problem ? 'true' : null, title: problem?.message ?? t('manner_take', { x: name }),
    onClick: () => problem || pick(name),
  },
  el('span', { class: 'manner-text' },
    el('span', { class: 'manner-name', dir: 'auto', lang: languageOf(title ?? name) }, title ?? name),
    title && title !== name && el('span', { class: 'craft-fact', dir: 'auto' }, ` ${name}`),
    el('span', { class: 'craft-fact manner-facts' }, facts),
    triggerWords.length > 0 && el('span', { class: 'craft-fact manner-facts', dir: 'auto' },
      `${t('needs')} ${triggerWords.slice(0, 3).join(', ')}`)),
  !problem && icon('plus')));
}

/** @param {string} name */
function pick(name) {
  sought = '';
  take(name);
  const index = state.settings.loras.findIndex((each) => each.name === name);
  byId(`manner-${index}`)?.focus();
}

/** @param {(() => void)[]} syncs */
function imprintList(syncs) {
  const list = el('ul', { class: 'manner-list', 'aria-labelledby': 'imprints-title' });
  syncs.push(() => {
    const rows = found(state.imprints ?? []).filter((/** @type {Listed} */ each) => !each.problem).slice(0, most);
    fill(list, rows.map((each) => each.name), () => rows.map(imprint));
  });
  return [
    el('h3', { id: 'imprints-title', class: 'craft-name hand manner-title', title: t('words_imprints') }, t('imprints')),
    list,
  ];
}

/** @param {Listed} embedding */
function imprint({ name, vectors }) {
  const into = (/** @type {'prompt' | 'negativePrompt'} */ field, /** @type {string} */ key) => el('button', {
    class: 'link', type: 'button', 'aria-label': t('imprint_into', { x: name, y: t(key) }), onClick: () => write(wordOf(name), field),
  }, t(key));
  return el('li', { class: 'imprint' },
    el('span', { class: 'manner-text' },
      el('span', { class: 'manner-name', dir: 'auto', lang: languageOf(name) }, name),
      el('span', { class: 'craft-fact manner-facts' }, t('imprint_n', { n: vectors }))),
    into('prompt', 'vision'), into('negativePrompt', 'avoid'));
}
