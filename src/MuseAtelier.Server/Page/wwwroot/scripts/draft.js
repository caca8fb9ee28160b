// Painting from a picture: its place on the desk, and the tools beside the easel on which it stands.
import { byId, el, icon, renew } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { brush, canRedo, canUndo, deeds, onBoard, setErases, setWidth, start as startBoard, widths, zoom } from './mask-board.js';
import { addKey } from './shortcuts.js';
import { sliderField } from './slider.js';
import {
  addressOf, beginFromFile, canBegin, changeBrush, changeMargins, changeSource, draft, dropSource, extentOf, isExtended, isGone, marginsOf,
  usualStrength,
} from './source.js';
import { isDrafted } from './stage.js';
import { change, on, state } from './store.js';
import { tell } from './toast.js';

/** @type {Record<string, any>} */
const parts = {};
/** Functions that bring the tools in line with the settings. @type {(() => void)[]} */
let syncs = [];
let isShown = false;

/** Begins the chip on the desk and the tools. */
export function start() {
  parts.input = el('input', { id: 'draft-file', type: 'file', hidden: true, onchange: () => taken(parts.input.files[0]) });
  parts.input.accept = 'image/png,image/jpeg,image/webp';
  byId('overlays').append(parts.input);
  parts.chip = el('div', { class: 'chip-host' });
  byId('additions').prepend(parts.chip);
  startBoard();
  for (const key of ['settings', 'offer', 'jobs', 'watching', 'isDrafting', 'current']) {
    on(key, show);
  }
  on('server', check);
  onBoard(sync);
  onLanguage(() => {
    isShown = false;
    show();
  });
  addKeys();
  show();
}

function addKeys() {
  const when = () => state.view === 'studio' && isDrafted() && !document.querySelector('dialog:modal');
  addKey({ key: 'b', does: 'brush', when, run: () => setErases(false) });
  addKey({ key: 'e', does: 'eraser', when, run: () => setErases(true) });
  addKey({ key: 'x', does: 'inv', when, run: deeds.invert });
  addKey({ key: '[', does: 'narrower', when, run: () => setWidth(brush.width / 1.2) });
  addKey({ key: ']', does: 'wider', when, run: () => setWidth(brush.width * 1.2 + 1) });
  addKey({ key: 'z', ctrl: true, does: 'undo', when: () => when() && canUndo() && !state.toast?.action, run: deeds.undo });
  addKey({ key: 'z', ctrl: true, shift: true, does: 'redo', when: () => when() && canRedo(), run: deeds.redo });
}

/** Lets go of the source of an earlier visit where the server no longer has it. */
async function check() {
  const { source } = state.settings;
  if (source && await isGone(source) && state.settings.source === source) {
    change({ source: null });
    tell(t('err_upload'));
  }
}

/** Lets the painter choose the file to begin from. */
function choose() {
  parts.input.value = '';
  parts.input.click();
}

/** @param {File | undefined} file */
async function taken(file) {
  if (file && await beginFromFile(file)) {
    byId('stage').scrollIntoView({ block: 'nearest' });
  }
}

function show() {
  showChip();
  const isDrafting = isDrafted();
  if (isDrafting !== isShown) {
    isShown = isDrafting;
    syncs = [];
    byId('draft').replaceChildren(...(isDrafting ? [tools()] : []));
  }
  sync();
}

function sync() {
  syncs.forEach((each) => each());
}

/** On the desk: the button that begins, or what is begun from. */
function showChip() {
  const { source } = state.settings;
  const about = source && [addressOf(source), source.strength, source.mask?.upload, isExtended(source)];
  const key = JSON.stringify([about, canBegin(), t('from')]);
  if (parts.chip.dataset.key === key) {
    return;
  }
  parts.chip.dataset.key = key;
  renew(parts.chip, ...(source ? chipOf(source) : canBegin() ? [beginButton()] : []));
  byId('additions').toggleAttribute('data-source', source !== null);
}

function beginButton() {
  return el('button', { id: 'draft-begin', class: 'addition', type: 'button', title: t('words_from'), onClick: choose },
    icon('pencil'), el('span', null, t('from')));
}

/** @param {import('./source.js').Source} source */
function chipOf(source) {
  const { strength, mask } = source;
  const facts = [t('change_n', { n: strength.toFixed(2) }), isExtended(source) && t('extended'), mask && t('only_short')];
  return [
    el('button', { id: 'draft-open', class: 'chip', type: 'button', onClick: draft },
      el('img', { class: 'chip-picture', src: addressOf(source), alt: `${t('draft_t')}:` }),
      el('span', { class: 'chip-words' },
        el('span', { class: 'chip-name', dir: 'auto' }, source.name),
        el('span', { class: 'chip-facts' }, facts.filter(Boolean).join(' · ')))),
    el('button', {
      id: 'draft-remove', class: 'icon-button', type: 'button', title: t('draft_remove'), 'aria-label': t('draft_remove'),
      onClick: dropSource,
    }, icon('close')),
  ];
}

/** Beside the easel. */
function tools() {
  return el('section', { class: 'draft-tools', 'aria-labelledby': 'draft-title' },
    el('h2', { id: 'draft-title', class: 'draft-title hand' }, t('draft_t')),
    el('div', { class: 'draft-part' }, changeField(), fitField(), marginFields()),
    el('div', { class: 'draft-part' },
      el('h3', { class: 'craft-name hand' }, t('only')), toolbar(), widthField(), blurField(), moreFields()),
    el('div', { class: 'draft-acts' },
      act('clear', 'drop', deeds.clear), act('other', 'picture', choose)));
}

function changeField() {
  const { element, sync: showValue } = sliderField({
    id: 'draft-change', label: t('change'), title: t('words_change'), least: 0, most: 1, step: 0.05, digits: 2,
    get: () => state.settings.source?.strength ?? usualStrength(), set: (strength) => changeSource({ strength }),
  });
  syncs.push(showValue);
  element.append(el('div', { class: 'draft-ends' }, el('span', null, t('change_lo')), el('span', null, t('change_hi'))));
  return element;
}

function fitField() {
  const fits = state.offer?.fits ?? ['crop', 'pad', 'stretch'];
  const choices = fits.map((/** @type {string} */ fit) => el('label', { class: 'scale-choice' },
    el('input', { type: 'radio', name: 'draft-fit', value: fit, onChange: () => changeSource({ fit }) }),
    el('span', null, t(`fit_${fit}`)), el('span', { class: 'dab', 'aria-hidden': 'true' })));
  const box = el('fieldset', { class: 'draft-fits', title: t('words_fit') }, el('legend', { class: 'unseen' }, t('words_fit')), ...choices);
  syncs.push(() => {
    const { source, width, height } = state.settings;
    const extent = source && extentOf(source);
    // It matters only where the proportions differ.
    box.hidden = !extent || Math.abs(Math.log(extent.width / extent.height / (width / height))) < 0.01;
    for (const input of box.querySelectorAll('input')) {
      input.checked = input.value === source?.fit;
    }
  });
  return box;
}

/** Outpainting: what is added at each side. */
function marginFields() {
  const sides = /** @type {const} */ (['left', 'top', 'right', 'bottom']);
  const most = state.offer?.limits?.mostMargin ?? 2048;
  const fields = sides.map((side) => {
    const field = el('input', {
      id: `draft-extend-${side}`, class: 'number-field', type: 'number', min: '0', max: String(most), step: '8', inputMode: 'numeric',
      onChange: () => changeMargins({ [side]: Math.min(most, Math.max(0, Math.round(field.valueAsNumber) || 0)) }),
    });
    syncs.push(() => {
      field.value = String(state.settings.source ? marginsOf(state.settings.source)[side] : 0);
    });
    return el('label', { class: 'draft-margin' }, el('span', null, t(`extend_${side}`)), field);
  });
  return el('details', { class: 'draft-extend', title: t('words_extend') },
    el('summary', null, t('extend'), icon('down')), el('div', { class: 'draft-margins' }, ...fields));
}

function toolbar() {
  const tool = (/** @type {string} */ key, /** @type {string} */ sign, /** @type {() => void} */ run) => el('button', {
    id: `draft-${key}`, class: 'icon-button', type: 'button', title: t(key), 'aria-label': t(key), onClick: run,
  }, icon(sign));
  const paints = tool('brush', 'brush', () => setErases(false));
  const erases = tool('eraser', 'eraser', () => setErases(true));
  const undo = tool('undo', 'undo', () => canUndo() && deeds.undo());
  const redo = tool('redo', 'redo', () => canRedo() && deeds.redo());
  const invert = tool('inv', 'invert', deeds.invert);
  syncs.push(() => {
    paints.setAttribute('aria-pressed', String(!brush.erases));
    erases.setAttribute('aria-pressed', String(brush.erases));
    // They stay where the focus is, so they are not disabled in earnest.
    undo.setAttribute('aria-disabled', String(!canUndo()));
    redo.setAttribute('aria-disabled', String(!canRedo()));
  });
  const transparent = tool('transparent', 'transparent', deeds.transparent);
  syncs.push(() => {
    transparent.hidden = !state.settings.source?.hasAlpha;
  });
  return el('div', { class: 'draft-bar', role: 'group', 'aria-label': t('only') },
    paints, erases, el('span', { class: 'draft-gap' }), transparent, undo, redo, invert,
    tool('zoom_in', 'plus', () => zoom(1.5)), tool('zoom_out', 'minus', () => zoom(1 / 1.5)));
}

function widthField() {
  const { element, sync: showValue } = sliderField({
    id: 'draft-width', label: t('size'), least: widths.least, most: widths.most, step: 1, digits: 0, get: () => brush.width, set: setWidth,
  });
  syncs.push(showValue);
  return element;
}

const brushed = () => state.settings.source?.brush;

function blurField() {
  const { element, sync: showValue } = sliderField({
    id: 'draft-blur', label: t('feather'), title: t('words_feather'), least: 0, most: state.offer?.limits?.mostMaskBlur ?? 64, step: 1,
    digits: 0, get: () => brushed()?.blur ?? 4, set: (blur) => changeBrush({ blur }),
  });
  syncs.push(showValue);
  return element;
}

/** What is seldom changed. */
function moreFields() {
  const contents = state.offer?.maskContents ?? ['original', 'fill', 'noise', 'nothing'];
  const content = el('select', { id: 'draft-content', class: 'select', onChange: () => changeBrush({ content: content.value }) },
    ...contents.map((/** @type {string} */ each) => el('option', { value: each }, t(`content_${each}`))));
  const region = el('input', {
    type: 'checkbox', onChange: () => changeBrush({ onlyMaskedPadding: region.checked ? 32 : null }),
  });
  const padding = el('input', {
    class: 'number-field', type: 'number', min: '0', max: String(state.offer?.limits?.mostMaskPadding ?? 1024), inputMode: 'numeric',
    'aria-label': t('padding'), title: t('padding'),
    onChange: () => changeBrush({ onlyMaskedPadding: Math.max(0, Math.round(padding.valueAsNumber) || 0) }),
  });
  const paste = el('input', { type: 'checkbox', onChange: () => changeBrush({ pasteBack: paste.checked }) });
  syncs.push(() => {
    const { onlyMaskedPadding = null, pasteBack = true, content: chosen = 'original' } = brushed() ?? {};
    content.value = chosen;
    region.checked = onlyMaskedPadding !== null;
    padding.hidden = onlyMaskedPadding === null;
    padding.value = String(onlyMaskedPadding ?? '');
    paste.checked = pasteBack;
  });
  return el('details', { class: 'draft-more' },
    el('summary', null, t('more'), icon('down')),
    el('label', { class: 'draft-label', for: 'draft-content' }, t('content')),
    el('span', { class: 'select-box' }, content, icon('down')),
    el('div', { class: 'draft-line' },
      el('label', { class: 'craft-switch', title: t('words_region') }, region, el('span', null, t('region'))), padding),
    el('label', { class: 'craft-switch', title: t('words_paste') }, paste, el('span', null, t('paste'))));
}

/**
 * @param {string} key
 * @param {string} sign
 * @param {() => void} run
 */
function act(key, sign, run) {
  return el('button', { id: `draft-act-${key}`, class: 'draft-act', type: 'button', onClick: run }, icon(sign), el('span', null, t(key)));
}
