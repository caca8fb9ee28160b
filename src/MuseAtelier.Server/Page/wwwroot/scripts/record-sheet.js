// The sheet that shows what a picture says of itself. Nothing is changed until the painter chooses.
import { takeRequest } from './actions.js';
import { chineseOf } from './codes.js';
import { openDialog } from './dialogs.js';
import { byId, el, icon } from './dom.js';
import { onLanguage, t } from './i18n.js';
import './overlay-texts.js';
import { hiresFacts } from './hires.js';
import { mannerFacts } from './manners.js';
import { goTo } from './navigation.js';
import { frameName, oneLine, samplerName } from './picture-words.js';
import { formatOf } from './sizes.js';
import { sourceFacts } from './source.js';
import { change, state } from './store.js';
import { tell, undoBy } from './toast.js';

/** @typedef {Record<string, any>} Found The server's answer for a picture file. */

/** @type {HTMLDialogElement | undefined} */
let open;

/**
 * Shows the record of a picture file.
 * @param {File} file
 * @param {Found} record The server's answer for it.
 * @param {(file: File) => void} [begins] Begins a picture from the file, where the server can.
 */
export function showRecord(file, record, begins) {
  open?.close();
  const address = URL.createObjectURL(file);
  const image = el('img', { alt: '', src: address, width: record.width, height: record.height });
  const dialog = el('dialog', { class: 'folio record', 'aria-labelledby': 'record-title' });
  const fill = () => dialog.replaceChildren(
    el('header', { class: 'folio-head' },
      el('h2', { id: 'record-title', class: 'folio-title' }, t('read_t')),
      el('button', { class: 'folio-close', type: 'button', 'aria-label': t('close'), onclick: () => dialog.close() }, icon('close'))),
    el('div', { class: 'record-body' }, el('div', { class: 'record-picture' }, image), factsOf(record)),
    ...notes(record),
    choices(dialog, file, record, begins),
    el('div', { class: 'unseen', role: 'status', 'data-live': '' }));
  fill();
  const forget = onLanguage(fill);
  open = dialog;
  byId('overlays').append(dialog);
  openDialog(dialog, () => {
    forget();
    URL.revokeObjectURL(address);
    dialog.remove();
    open = undefined;
  });
  dialog.querySelector('.record-all').focus();
}

/**
 * The facts as a list of terms.
 * @param {Found} record
 */
function factsOf(record) {
  const request = record.request ?? {};
  const width = request.width ?? record.width;
  const height = request.height ?? record.height;
  const format = formatOf(width, height, 0.04);
  const craft = [
    request.steps !== undefined && `${t('steps')} ${request.steps}`,
    request.guidance !== undefined && `${t('guidance')} ${request.guidance}`,
    request.sampler && samplerName(request.sampler),
  ].filter(Boolean);
  const rows = [
    ['vision', oneLine(request.prompt)],
    ['avoid', oneLine(request.negativePrompt)],
    ['seed', request.seed],
    ['format', [format && t(format.key), `${width} × ${height}`].filter(Boolean).join(' · ')],
    ['craft', craft.join(' · ')],
    ['draft_t', sourceFacts(request).join(' · ')],
    ['hires', hiresFacts(request).join(' · ')],
    ['manner', mannerFacts(request).join(' · ')],
    ['frame', request.frame === undefined ? undefined : frameName(request.frame)],
    ['model', record.model],
  ];
  const list = el('dl', { class: 'record-facts' });
  for (const [key, value] of rows) {
    if (value !== undefined && value !== null && value !== '') {
      list.append(el('div', {}, el('dt', {}, t(key)), el('dd', { class: key === 'vision' ? 'record-words' : '', dir: 'auto' }, value)));
    }
  }
  return list;
}

/**
 * What could not be taken over, by name, and what the server noticed.
 * @param {Found} record
 */
function notes(record) {
  const lines = [];
  if (record.notTaken?.length > 0) {
    lines.push(t('read_not', { x: record.notTaken.map(nameOf).join(t('list_comma')) }));
  }
  lines.push(...(record.notices ?? []).map((/** @type {any} */ notice, /** @type {number} */ index) => {
    const { code, arguments: values } = record.noticeCodes?.[index] ?? {};
    return chineseOf(code, values) ?? nameOf(notice);
  }));
  const items = lines.map((line) => el('li', { dir: 'auto' }, icon('mark'), el('span', null, line)));
  return items.length > 0 ? [el('ul', { class: 'record-notes' }, ...items)] : [];
}

/**
 * A note as text, whether the server sends a sentence or a name with a value.
 * @param {any} note
 */
function nameOf(note) {
  return typeof note === 'string' ? note : [note?.name, note?.value].filter(Boolean).join(' ');
}

/**
 * The choices. Using all or the words says so in a toast, which takes it back.
 * @param {HTMLDialogElement} dialog
 * @param {File} file
 * @param {Found} record
 * @param {((file: File) => void) | undefined} begins
 */
function choices(dialog, file, record, begins) {
  const request = record.request ?? {};
  const choose = (/** @type {() => void} */ does) => () => {
    dialog.close();
    goTo('studio');
    does();
  };
  return el('div', { class: 'record-choices' },
    el('button', { class: 'record-all', type: 'button', onclick: choose(() => takeRequest(request)) }, t('read_all')),
    el('button', { class: 'quiet', type: 'button', onclick: choose(() => takeWords(request)) }, t('read_words')),
    begins !== undefined && el('button', { class: 'quiet', type: 'button', onclick: choose(() => begins(file)) }, t('start')),
    el('button', { class: 'quiet leave', type: 'button', onclick: () => dialog.close() }, t('cancel')));
}

/**
 * Puts the words alone on the desk; the toast takes them back.
 * @param {any} request
 */
function takeWords(request) {
  const before = state.settings;
  change({ prompt: request.prompt ?? '', negativePrompt: request.negativePrompt ?? '' });
  tell(t('recalled'), undoBy(() => change(before)));
}
