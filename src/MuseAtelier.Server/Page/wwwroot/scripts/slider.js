// A slider whose used part is a stroke, and its number, which can be typed.
import { el } from './dom.js';

/**
 * @typedef {object} SliderOptions
 * @property {string} id The id of the number's field.
 * @property {string} label Its name.
 * @property {string} [title] What explains the name.
 * @property {number} least
 * @property {number} most The end of the slider.
 * @property {number} [limit] The largest number that can be typed, where it is beyond the slider's end.
 * @property {number} [floor] The least number that can be typed, where it is below the slider's beginning.
 * @property {number} step
 * @property {number} digits
 * @property {() => number} get
 * @property {(value: number) => void} set
 */

/**
 * Makes the field.
 * @param {SliderOptions} options
 * @returns {{element: HTMLElement, sync: () => void}} `sync` shows the value as it is now.
 */
export function sliderField({ id, label, title, least, most, limit = most, floor = least, step, digits, get, set }) {
  const number = el('input', {
    id, class: 'number-field', type: 'number', min: String(floor), max: String(limit), step: String(step),
    inputMode: 'decimal',
    onChange: () => take(number.valueAsNumber),
  });
  const range = el('input', {
    class: least < 0 ? 'slider is-signed' : 'slider', type: 'range', min: String(least), max: String(most), step: String(step),
    'aria-label': label,
    onInput: () => take(range.valueAsNumber),
  });
  /** @param {boolean} isTaken Whether the number was just taken; else what is being typed stays. */
  const show = (isTaken) => {
    const value = get();
    range.value = String(value);
    range.style.setProperty('--share', String(Math.min(1, Math.max(0, (value - least) / (most - least)))));
    if (isTaken ? number.value === '' || Number(number.value) !== value : document.activeElement !== number) {
      number.value = Number(value).toFixed(Number.isInteger(value * 10 ** digits) ? digits : 2);
    }
  };
  /** @param {number} value */
  const take = (value) => {
    if (Number.isFinite(value)) {
      set(Math.min(limit, Math.max(floor, value)));
    }
    show(true);
  };
  const sync = () => show(false);
  const name = el('label', { class: 'craft-name hand', for: id, title }, label);
  return { element: el('div', null, el('div', { class: 'craft-head' }, name, number), range), sync };
}
