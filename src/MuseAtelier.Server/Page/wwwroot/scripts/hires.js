// The second pass at a higher resolution: folded away in the drawer until it is used.
import { el, icon } from './dom.js';
import { t } from './i18n.js';
import { sliderField } from './slider.js';
import { change, state } from './store.js';

/** @typedef {import('./store.js').Hires} Hires */

/**
 * The row of the drawer; empty where the server cannot do it.
 * @param {(() => void)[]} syncs Receives what brings the row in line with the settings.
 */
export function hiresRow(syncs) {
  const upscalers = state.offer?.upscalers ?? [];
  if (upscalers.length === 0) {
    return '';
  }
  const fact = el('span', { class: 'craft-fact' });
  const fields = [factor(), strength(), steps()];
  const choice = upscalerField(upscalers);
  const own = ownFields();
  const more = el('div', { class: 'hires-fields', role: 'group', 'aria-label': t('hires') },
    el('div', { class: 'craft-pair' }, fields[0].element, fields[1].element),
    el('div', { class: 'craft-pair' }, fields[2].element, choice.element),
    own.element);
  const box = el('input', {
    id: 'craft-hires', type: 'checkbox', onChange: () => change({ hires: box.checked ? usual() : null }),
  });
  syncs.push(() => {
    const { hires, width, height } = state.settings;
    box.checked = hires !== null;
    more.hidden = hires === null;
    fact.textContent = hires ? `${sideOf(width, hires.scale)} × ${sideOf(height, hires.scale)}` : '';
    [...fields, choice, own].forEach(({ sync }) => sync());
  });
  return el('div', { class: 'craft-row' },
    el('div', { class: 'craft-head' },
      el('label', { class: 'craft-switch', for: 'craft-hires', title: t('words_hires') },
        box, el('span', { class: 'craft-name hand' }, t('hires'))),
      fact),
    more);
}

/**
 * A side after the second pass, as the engine rounds it.
 * @param {number} side
 * @param {number} scale
 */
export const sideOf = (side, scale) => Math.floor((side * scale) / 8) * 8;

/**
 * What a request says of its second pass, in short.
 * @param {Record<string, any> | undefined} request
 * @returns {string[]}
 */
export const hiresFacts = (request) => (request?.hires ? [t('hires_n', { x: Number((request.hires.scale ?? 2).toFixed(2)) })] : []);

/** @returns {Hires} */
function usual() {
  const { hiresScale = 2, hiresStrength = 0.5 } = state.offer?.defaults ?? {};
  return { scale: hiresScale, strength: hiresStrength, upscaler: state.offer?.upscalers?.[0]?.name ?? 'latent' };
}

/** @param {Partial<Hires>} some */
function alter(some) {
  if (state.settings.hires) {
    const hires = { ...state.settings.hires, ...some };
    change({ hires: Object.fromEntries(Object.entries(hires).filter(([, value]) => value !== undefined)) });
  }
}

const now = () => state.settings.hires ?? usual();

const factor = () => sliderField({
  id: 'craft-hires-scale', label: t('hires_scale'), least: 1.25, most: 4, limit: state.offer?.limits?.mostHiresScale ?? 8,
  step: 0.25, digits: 1, get: () => now().scale, set: (scale) => alter({ scale }),
});

const strength = () => sliderField({
  id: 'craft-hires-strength', label: t('change'), title: t('words_change'), least: 0.05, most: 1, step: 0.05, digits: 1,
  get: () => now().strength, set: (value) => alter({ strength: value }),
});

/** The steps of the second pass; as many as in the first where they are as there. */
const steps = () => sliderField({
  id: 'craft-hires-steps', label: t('steps'), title: t('words_steps'), least: 1, most: 60, limit: state.offer?.limits?.steps ?? 150,
  step: 1, digits: 0, get: () => now().steps ?? state.settings.steps ?? state.offer?.defaults?.steps ?? 30,
  set: (value) => alter({ steps: value === state.settings.steps ? undefined : value }),
});

/** What the second pass has of its own: it is as in the first where nothing is said. */
function ownFields() {
  const words = [ownWords('prompt', 'vision'), ownWords('negativePrompt', 'avoid')];
  const choices = [ownChoice('sampler', state.offer?.samplers), ownChoice('schedule', state.offer?.schedules)];
  const element = el('details', { class: 'hires-own' },
    el('summary', null, t('hires_own'), icon('down')),
    ...words.map((each) => each.element),
    el('div', { class: 'craft-pair' }, ...choices.map((each) => each.element)));
  return {
    element,
    sync: () => {
      const { prompt, negativePrompt, sampler, schedule } = now();
      // What was recalled must be seen.
      element.open ||= [prompt, negativePrompt, sampler, schedule].some((each) => each !== undefined);
      [...words, ...choices].forEach(({ sync }) => sync());
    },
  };
}

/**
 * @param {'prompt' | 'negativePrompt'} name
 * @param {'vision' | 'avoid'} key
 */
function ownWords(name, key) {
  const id = `craft-hires-${key}`;
  const field = el('textarea', {
    id, class: 'hires-words', rows: 2, spellcheck: false, placeholder: t('hires_same'),
    onChange: () => alter({ [name]: field.value.trim() === '' ? undefined : field.value }),
  });
  return {
    element: el('div', null, el('label', { class: 'craft-name hand', for: id, title: t(`words_${key}`) }, t(key)), field),
    sync: () => {
      if (document.activeElement !== field) {
        field.value = now()[name] ?? '';
      }
    },
  };
}

/**
 * @param {'sampler' | 'schedule'} name
 * @param {{name: string, label: string}[] | undefined} offered
 */
function ownChoice(name, offered = []) {
  const id = `craft-hires-${name}`;
  const field = el('select', { id, class: 'select', onChange: () => alter({ [name]: field.value || undefined }) },
    el('option', { value: '' }, t('hires_same')),
    ...offered.map((each) => el('option', { value: each.name }, each.label)));
  const label = el('label', { class: 'craft-name hand', for: id, title: t(`words_${name}`) }, t(name));
  return {
    element: el('div', null, el('div', { class: 'craft-head' }, label), el('span', { class: 'select-box' }, field, icon('down'))),
    sync: () => {
      field.value = now()[name] ?? '';
    },
  };
}

/** @param {{name: string}[]} upscalers */
function upscalerField(upscalers) {
  const names = /** @type {Record<string, string>} */ ({
    'latent': t('up_latent'), 'latent-bicubic': t('up_bicubic'), 'latent-nearest': t('up_nearest'), 'lanczos': t('up_lanczos'),
  });
  const field = el('select', { id: 'craft-upscaler', class: 'select', onChange: () => alter({ upscaler: field.value }) },
    ...upscalers.map(({ name }) => el('option', { value: name }, names[name] ?? name)));
  const label = el('label', { class: 'craft-name hand', for: 'craft-upscaler', title: t('words_upscaler') }, t('upscaler'));
  const element = el('div', null,
    el('div', { class: 'craft-head' }, label), el('span', { class: 'select-box' }, field, icon('down')));
  return {
    element,
    sync: () => {
      field.value = now().upscaler;
    },
  };
}
