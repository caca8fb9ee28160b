// Errors: one sentence, its remedies as underlined buttons, and details folded away. Never a dialog.
import { el } from './dom.js';
import { amount, t } from './i18n.js';

/**
 * @typedef {object} Remedy
 * @property {string} label
 * @property {() => void} [does] Without it, the remedy is a sentence.
 */

/**
 * The box of an error. It is spoken once, when it is placed into the page.
 * @param {{kind?: string, message?: string}} problem As the API throws it.
 * @param {{text?: string, remedies?: Remedy[], onWall?: boolean}} [more] A sentence in place of the kind's, what can be done, and
 * whether the box stands on the linen, where red is not legible enough for text.
 */
export function problemBox(problem, more = {}) {
  const told = more.text ?? sentenceOf(problem);
  const style = more.onWall ? 'problem on-wall' : 'problem';
  const box = el('div', { class: style, role: 'alert' }, el('p', { class: 'problem-text', dir: 'auto' }, told));
  const remedies = more.remedies ?? [];
  if (remedies.length > 0) {
    box.append(el('div', { class: 'remedies' }, ...remedies.map(remedyOf)));
  }
  const details = String(problem?.message ?? '').trim();
  if (details !== '' && details !== told) {
    box.append(el('details', {}, el('summary', {}, t('more')), el('p', { dir: 'auto' }, details.slice(0, 1000))));
  }
  return box;
}

/** @param {Remedy} remedy */
function remedyOf({ label, does }) {
  return does === undefined ? el('span', {}, label) : el('button', { class: 'link remedy', type: 'button', onclick: does }, label);
}

/**
 * Kinds of problems for which the page has a sentence of its own.
 * @type {Record<string, string>}
 */
const sentences = {
  unreachable: 'err_server',
  'not-a-picture': 'err_file',
  'no-record': 'err_norec',
  'no-such-picture': 'gone_picture',
  'no-such-upload': 'err_upload',
  'no-such-lora': 'err_lora',
  'queue-full': 'err_queue',
  'disk-full': 'err_full',
};

/**
 * The sentence of a problem in the page's language; the server's own sentence where the page has none.
 * @param {any} problem What was thrown.
 * @returns {string}
 */
export function sentenceOf(problem) {
  const key = sentences[problem?.kind];
  return key === undefined ? String(problem?.message ?? t('err_server')) : t(key);
}

/**
 * The sentence for a file that is too large.
 * @param {number} bytes
 * @param {number} most
 */
export function tooBig(bytes, most) {
  return t('err_big', { n: amount(bytes), m: amount(most) });
}
