// The craft in the drawer: format, steps, sampler, frame, seed and all else that says how a picture is painted.
import { el, icon, renew } from './dom.js';
import { hiresRow } from './hires.js';
import { t, hasText, amount, duration, language } from './i18n.js';
import { diceButton, lockButton } from './seed.js';
import { formats, scales, sizeOf, formatOf, scaleOf, sheetShape } from './sizes.js';
import { sliderField } from './slider.js';
import { state, change } from './store.js';

/** Functions that bring the controls in line with the settings, without building them anew. @type {(() => void)[]} */
let syncs = [];

/**
 * The contents of the drawer below its head.
 * @param {(() => void)[]} into Receives what brings them in line with the settings.
 * @returns {(HTMLElement | string)[]}
 */
export function craftRows(into) {
  syncs = into;
  return [
    formatRow(),
    el('div', { class: 'craft-row craft-pair' }, stepsField(), guidanceField()),
    el('div', { class: 'craft-row craft-pair' }, samplerField(), scheduleField()),
    modelRow(),
    frameRow(),
    el('div', { class: 'craft-row craft-pair is-uneven' }, seedField(), countField()),
    hiresRow(syncs),
    sanctumRow(),
  ];
}

/**
 * @param {string} key The key of the control's name; `words_…` has the field's own word.
 * @param {string | null} control
 */
function name(key, control) {
  const title = hasText(`words_${key}`) ? t(`words_${key}`) : null;
  return el(control ? 'label' : 'span', { class: 'craft-name hand', for: control, title }, t(key));
}

function formatRow() {
  const fact = el('span', { class: 'craft-fact' });
  const sheets = formats.map((format) => radio('craft-format', format.key, 'sheet', () => {
    change(sizeOf(format, state.settings.scale || 1024));
  }, el('span', { class: 'sheet-shape', style: sheetShape(format.width, format.height, 29) }),
  el('span', null, language() === 'zh' ? t(format.key) : format.ratio), `${t(format.key)} ${format.ratio}`));
  const sizes = scales.map((scale) => radio('craft-scale', scale.key, 'scale-choice', () => {
    const format = formatOf(state.settings.width, state.settings.height) ?? formats[0];
    change({ ...sizeOf(format, scale.side), scale: scale.side });
  }, el('span', null, t(scale.key)), el('small', null, scale.side), null, el('span', { class: 'dab', 'aria-hidden': 'true' })));
  syncs.push(() => {
    const { width, height } = state.settings;
    const format = formatOf(width, height);
    check('craft-format', format?.key);
    check('craft-scale', scaleOf(width, height)?.key);
    fact.textContent = width ? `${format ? t(format.key) : t('other_size')} · ${width} × ${height}` : '';
  });
  return el('div', { class: 'craft-row' },
    el('div', { class: 'craft-head' }, name('format', null), fact),
    el('fieldset', { id: 'craft-format', class: 'sheets', 'aria-label': t('format') }, ...sheets),
    el('fieldset', { id: 'craft-scale', class: 'scales', 'aria-label': t('scale'), title: t('words_scale') }, ...sizes));
}

/**
 * A radio button that is drawn as something else.
 * @param {string} group
 * @param {string} value
 * @param {string} style
 * @param {() => void} run
 * @param {...any} parts The parts that are seen; the third may be the name that is said.
 */
function radio(group, value, style, run, ...parts) {
  const [first, second, said, ...rest] = parts;
  return el('label', { class: style, title: said },
    el('input', { type: 'radio', name: group, value, 'aria-label': said, onChange: run }), first, second, ...rest);
}

/**
 * @param {string} group
 * @param {string | undefined} value
 */
function check(group, value) {
  for (const input of document.querySelectorAll(`input[name="${group}"]`)) {
    /** @type {HTMLInputElement} */ (input).checked = /** @type {HTMLInputElement} */ (input).value === value;
  }
}

/**
 * @param {'steps' | 'guidance'} key
 * @param {{least: number, most: number, limit: number, step: number, digits: number}} range
 */
function slider(key, range) {
  const { element, sync: show } = sliderField({
    id: `craft-${key}`, label: t(key), title: t(`words_${key}`), ...range,
    get: () => state.settings[key] ?? state.offer?.defaults?.[key] ?? range.least,
    set: (value) => change({ [key]: value }),
  });
  syncs.push(show);
  return element;
}

const stepsField = () => slider('steps', { least: 1, most: 60, limit: state.offer?.limits?.steps ?? 150, step: 1, digits: 0 });
const guidanceField = () => slider('guidance', { least: 1, most: 15, limit: 30, step: 0.5, digits: 1 });

/**
 * @param {string} key
 * @param {{value: string, label: string}[]} choices
 * @param {() => string} current
 * @param {(value: string) => void} take
 */
function select(key, choices, current, take) {
  const field = el('select', { id: `craft-${key}`, class: 'select', onChange: () => take(field.value) },
    ...choices.map((each) => el('option', { value: each.value }, each.label)));
  syncs.push(() => {
    field.value = current();
  });
  return el('div', null,
    el('div', { class: 'craft-head' }, name(key, `craft-${key}`)),
    el('span', { class: 'select-box' }, field, icon('down')));
}

function samplerField() {
  const choices = (state.offer?.samplers ?? []).map((/** @type {any} */ each) => ({ value: each.name, label: each.label }));
  const current = () => state.settings.sampler ?? state.offer?.defaults?.sampler ?? '';
  const box = select('sampler', choices, current, (value) => change({ sampler: value }));
  const help = el('p', { id: 'craft-sampler-help', class: 'craft-help' });
  box.querySelector('select').setAttribute('aria-describedby', help.id);
  syncs.push(() => {
    const key = `smp_${current().replace(/[^a-z0-9]+/gi, '_').toLowerCase()}`;
    help.textContent = hasText(key) ? t(key) : '';
  });
  box.append(help);
  return box;
}

function scheduleField() {
  const choices = (state.offer?.schedules ?? []).map((/** @type {any} */ each) => ({ value: each.name, label: each.label }));
  return select('schedule', choices, () => state.settings.schedule ?? state.offer?.defaults?.schedule ?? '',
    (value) => change({ schedule: value }));
}

function modelRow() {
  if (state.models.length < 2) {
    return '';
  }
  const choices = state.models.map((each) => ({ value: each.id, label: each.title }));
  const field = select('model', choices, () => state.settings.model ?? state.models.find((each) => each.isCurrent)?.id ?? '',
    (value) => change({ model: value }));
  return el('div', { class: 'craft-row' }, field);
}

function countField() {
  const most = Math.min(8, state.offer?.limits?.count ?? 8);
  const number = el('input', {
    id: 'craft-count', class: 'number-field', type: 'number', min: '1', max: String(most), step: '1', inputMode: 'numeric',
    onChange: () => take(number.valueAsNumber),
  });
  /** @param {number} value */
  const take = (value) => {
    change({ count: Math.min(most, Math.max(1, Math.round(value) || 1)) });
    syncs.forEach((each) => each());
  };
  syncs.push(() => {
    number.value = String(state.settings.count);
  });
  const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {number} */ by) => el('button', {
    class: 'icon-button', type: 'button', 'aria-label': t(label), title: t(label), onClick: () => take(state.settings.count + by),
  }, icon(sign));
  return el('div', null, el('div', { class: 'craft-head' }, name('count', 'craft-count')),
    el('div', { class: 'stepper' }, button('fewer', 'minus', -1), number, button('one_more', 'plus', 1)));
}

function frameRow() {
  const frames = state.offer?.frames ?? ['gilded', 'ebony', 'celadon', 'none'];
  const inOrder = [...frames.filter((/** @type {string} */ each) => each !== 'none'), 'none'];
  const choices = inOrder.map((frame) => radio('craft-frame', frame, 'swatch-choice', () => change({ frame }),
    el('span', { class: 'swatch', 'data-frame': frame }), el('span', null, t(frame))));
  syncs.push(() => check('craft-frame', state.settings.frame));
  return el('div', { class: 'craft-row' }, el('div', { class: 'craft-head' }, name('frame', null)),
    el('fieldset', { id: 'craft-frame', class: 'swatches', 'aria-label': t('frame') }, ...choices));
}

function seedField() {
  const field = el('input', {
    id: 'craft-seed', class: 'number-field', type: 'text', inputMode: 'numeric', maxLength: 20, autocomplete: 'off',
    onChange: () => {
      const digits = field.value.replace(/\D/g, '');
      // A seed that is typed is a seed that is meant.
      change(digits ? { seed: String(BigInt(digits)), isSeedLocked: true } : {});
      syncs.forEach((each) => each());
    },
  });
  const locks = el('span', null, lockButton('craft-lock'));
  syncs.push(() => {
    if (document.activeElement !== field) {
      field.value = state.settings.seed;
    }
    if (locks.firstElementChild?.getAttribute('aria-pressed') !== String(state.settings.isSeedLocked)) {
      renew(locks, lockButton('craft-lock'));
    }
  });
  return el('div', { class: 'seed' }, el('div', { class: 'craft-head' }, name('seed', 'craft-seed')),
    el('div', { class: 'seed-row' }, field, diceButton('craft-dice'), locks));
}

function sanctumRow() {
  const value = el('span', { class: 'craft-fact' });
  const model = el('span', { class: 'bar-used' });
  const work = el('span', { class: 'bar-more' });
  const legend = el('div', { class: 'bar-legend' });
  syncs.push(() => {
    const { held, budget } = state.sanctum;
    const plan = state.plan;
    value.textContent = budget ? t('sanctum_val', { a: (held / 2 ** 30).toFixed(1), b: amount(budget) }) : '';
    const [first, second] = plan?.model ? [plan.model, plan.workspace ?? 0] : [held, 0];
    const share = (/** @type {number} */ part) => (budget ? Math.min(1, part / budget) : 0);
    work.style.transform = `scaleX(${share(first + second)})`;
    model.style.transform = `scaleX(${share(first)})`;
    legend.replaceChildren(...(plan?.model ? [
      el('span', null, el('span', { class: 'legend-mark' }), `${t('weights')} ${amount(first)}`),
      el('span', null, el('span', { class: 'legend-mark is-more' }), `${t('working')} ${amount(second)}`),
    ] : []), el('span', null, plan?.seconds ? t('about', { s: duration(plan.seconds / state.settings.count) }) : ''));
  });
  return el('div', { class: 'craft-row' },
    el('div', { class: 'craft-head' }, name('sanctum', null), value),
    el('div', { class: 'bar bar-large', 'aria-hidden': 'true' }, work, model),
    legend);
}
