// The source on the easel with its mask over it: brushed by pointer, touch and keys, and kept by the server.
import * as api from './api.js';
import { el, settled } from './dom.js';
import { onLanguage, t } from './i18n.js';
import { MaskCanvas } from './mask-canvas.js';
import { MaskView, pinch } from './mask-view.js';
import { addressOf, beforePainting, changeSource, extentOf, marginsOf } from './source.js';
import { on, set, state } from './store.js';

/** How long after the last stroke the mask is kept, in ms. */
const pause = 800;

/** The widths of the brush, in px of the screen. */
export const widths = Object.freeze({ least: 4, most: 200 });

/** The brush: its width in px of the screen, and whether it erases. */
export const brush = { width: 48, erases: false };

const mask = new MaskCanvas();
const picture = el('img', { class: 'draft-picture', alt: '', draggable: false });
const ring = el('span', { class: 'draft-ring', hidden: true, 'aria-hidden': 'true' });
const layer = el('div', { class: 'draft-layer' }, picture, mask.element);
const element = el('div', { class: 'draft-board' }, layer, ring);
const view = new MaskView(layer, element);

/** @type {Set<() => void>} */
const listeners = new Set();
/** Which source the board shows, and which upload its mask was read from or kept as. */
let shown = '';
let keptAs = '';
/** The number of changes of the mask, and that of the last one that is kept. */
let changes = 0;
let kept = 0;
/** @type {Promise<void>} */
let keeping = Promise.resolve();
/** Where the ring is, in px of the mask; and whether Space holds the brush down. */
let place = { x: 0, y: 0 };
let isDown = false;
/** Whether a pointer brushes. */
let isStroking = false;

const keepSoon = settled(pause, () => keep().catch(() => undefined));

/** Begins the board. */
export function start() {
  mask.element.className = 'draft-mask';
  mask.element.tabIndex = 0;
  mask.element.setAttribute('role', 'application');
  mask.element.addEventListener('pointerdown', pressed);
  mask.element.addEventListener('pointermove', moved);
  for (const type of ['pointerup', 'pointercancel']) {
    mask.element.addEventListener(type, ended);
  }
  // The canvas has another size when the drawer opens.
  new ResizeObserver(() => view.show()).observe(element);
  pinch(mask.element, view, { began: dropStroke, moved: () => (ring.hidden = true) });
  element.addEventListener('wheel', (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    view.by(event.deltaY < 0 ? 1.2 : 1 / 1.2, { x: event.clientX, y: event.clientY });
    showRing();
  }, { passive: false });
  mask.element.addEventListener('pointerleave', () => (ring.hidden = document.activeElement !== mask.element));
  mask.element.addEventListener('keydown', keyed);
  mask.element.addEventListener('keyup', (event) => event.key === ' ' && lifted());
  mask.element.addEventListener('focus', () => mask.element.matches(':focus-visible') && showRing());
  mask.element.addEventListener('blur', () => {
    mask.element.removeAttribute('data-pointed');
    lifted();
    ring.hidden = true;
  });
  on('settings', show);
  beforePainting(keep);
  onLanguage(speak);
  speak();
  show();
}

/** @returns {HTMLElement} The board. */
export const board = () => element;

/**
 * Calls a function after each change of the mask.
 * @param {() => void} listener
 */
export const onBoard = (listener) => listeners.add(listener);

export const canUndo = () => mask.canUndo;
export const canRedo = () => mask.canRedo;

/** @type {Readonly<Record<'undo' | 'redo' | 'invert' | 'clear' | 'transparent', () => void>>} */
export const deeds = Object.freeze({
  undo: () => did(() => mask.undo()),
  redo: () => did(() => mask.redo()),
  invert: () => did(() => mask.invert()),
  clear: () => did(() => mask.clear()),
  transparent: () => picture.naturalWidth > 0 && did(() => mask.addTransparent(picture)),
});

/**
 * Sets the brush's width.
 * @param {number} width
 */
export function setWidth(width) {
  brush.width = Math.round(Math.min(widths.most, Math.max(widths.least, width)));
  tell();
}

/**
 * Looks closer or less closely.
 * @param {number} by
 */
export const zoom = (by) => view.by(by);

/** @param {boolean} erases */
export function setErases(erases) {
  brush.erases = erases;
  tell();
}

function speak() {
  mask.element.setAttribute('aria-label', t('mask_name'));
  mask.element.setAttribute('aria-description', t('mask_keys'));
}

function tell() {
  sizeRing();
  listeners.forEach((listener) => listener());
}

/** Shows the source of the settings, if it is another one or its mask is. */
function show() {
  const { source } = state.settings;
  const key = source ? addressOf(source) : '';
  const upload = source?.mask?.upload ?? '';
  const isOther = key !== shown;
  setBack();
  if (!isOther && (upload === keptAs || changes !== kept)) {
    return;
  }
  shown = key;
  keptAs = upload;
  changes = kept = 0;
  if (!source) {
    picture.removeAttribute('src');
    return;
  }
  if (isOther) {
    picture.src = key;
    view.reset();
  }
  mask.reset(source.width, source.height);
  place = { x: mask.element.width / 2, y: mask.element.height / 2 };
  if (upload) {
    load(upload);
  }
  tell();
}

/** Margins stand around the picture, empty as they will be painted. */
function setBack() {
  const { source } = state.settings;
  if (source) {
    const { left, top } = marginsOf(source);
    const { width, height } = extentOf(source);
    const share = (/** @type {number} */ part, /** @type {number} */ whole) => `${(100 * part) / whole}%`;
    layer.style.setProperty('--left', share(left, width));
    layer.style.setProperty('--top', share(top, height));
    layer.style.setProperty('--width', share(source.width, width));
    layer.style.setProperty('--height', share(source.height, height));
  }
}

/** @param {string} upload */
async function load(upload) {
  const image = new Image();
  image.src = api.uploadUrl(upload);
  try {
    await image.decode();
    if (keptAs === upload && changes === 0) {
      mask.load(image);
      tell();
    }
  } catch {
    // The server no longer keeps it: nothing is brushed.
    if (keptAs === upload) {
      changeSource({ mask: null });
    }
  }
}

/** Has the server keep the mask, if it changed. */
function keep() {
  keeping = keeping.catch(() => undefined).then(async () => {
    const { source } = state.settings;
    if (!source || changes === kept) {
      return;
    }
    const now = changes;
    if (mask.isEmpty()) {
      keptAs = '';
      kept = now;
      changeSource({ mask: null });
      return;
    }
    const key = shown;
    const { id } = await api.postUpload(await mask.toPng(), 'mask.png');
    if (key === shown && state.settings.source) {
      keptAs = id;
      kept = now;
      changeSource({ mask: { upload: id, ...state.settings.source.brush } });
    }
  });
  return keeping;
}

/** @param {() => void} deed */
function did(deed) {
  deed();
  changes++;
  // Ctrl and Z undo what was done last.
  if (state.toast?.action) {
    set('toast', null);
  }
  keepSoon();
  tell();
}

/** The px of the mask in one px of the screen. */
const scale = () => mask.element.width / Math.max(1, mask.element.getBoundingClientRect().width);

/** @param {PointerEvent} event */
function at(event) {
  const box = mask.element.getBoundingClientRect();
  return { x: (event.clientX - box.left) * scale(), y: (event.clientY - box.top) * scale() };
}

/** @param {PointerEvent} event */
function pressed(event) {
  if (event.button !== 0 || !event.isPrimary) {
    return;
  }
  event.preventDefault();
  // A ring around the canvas would only be in the way of a pointer.
  mask.element.toggleAttribute('data-pointed', true);
  mask.element.focus({ preventScroll: true });
  mask.element.setPointerCapture(event.pointerId);
  place = at(event);
  mask.begin(place, brush.width * scale(), brush.erases);
  isStroking = true;
  showRing();
}

/** @param {PointerEvent} event */
function moved(event) {
  if (!event.isPrimary) {
    return;
  }
  place = at(event);
  if (isStroking && mask.element.hasPointerCapture(event.pointerId)) {
    const all = event.getCoalescedEvents?.() ?? [];
    (all.length > 0 ? all : [event]).forEach((each) => mask.extend(at(each)));
  }
  showRing();
}

/** @param {PointerEvent} event */
function ended(event) {
  if (event.isPrimary && mask.element.hasPointerCapture(event.pointerId)) {
    mask.element.releasePointerCapture(event.pointerId);
    if (isStroking) {
      isStroking = false;
      did(() => mask.end());
    }
    ring.hidden = event.pointerType === 'touch';
  }
}

/** A second finger moves the view: what the first one began to brush is taken back. */
function dropStroke() {
  if (isStroking) {
    isStroking = false;
    mask.end();
    mask.undo();
    tell();
  }
}

/**
 * Space holds the brush down, and the arrows move it; with Shift ten times as far.
 * @param {KeyboardEvent} event
 */
function keyed(event) {
  const ways = /** @type {Record<string, [number, number]>} */ ({
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  });
  const way = ways[event.key];
  mask.element.removeAttribute('data-pointed');
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.key === ' ') {
    event.preventDefault();
    if (!isDown) {
      isDown = true;
      mask.begin(place, brush.width * scale(), brush.erases);
    }
  } else if (way) {
    event.preventDefault();
    const step = Math.max(1, (brush.width / 8) * scale()) * (event.shiftKey ? 10 : 1);
    place = {
      x: Math.min(mask.element.width, Math.max(0, place.x + way[0] * step)),
      y: Math.min(mask.element.height, Math.max(0, place.y + way[1] * step)),
    };
    if (isDown) {
      mask.extend(place);
    }
  } else {
    return;
  }
  event.stopPropagation();
  showRing();
}

function lifted() {
  if (isDown) {
    isDown = false;
    did(() => mask.end());
  }
}

function showRing() {
  ring.hidden = false;
  const box = element.getBoundingClientRect();
  const { left, top } = mask.element.getBoundingClientRect();
  const [x, y] = [left - box.left + place.x / scale(), top - box.top + place.y / scale()];
  ring.style.translate = `calc(${x}px - 50%) calc(${y}px - 50%)`;
  sizeRing();
}

function sizeRing() {
  ring.style.width = ring.style.height = `${brush.width}px`;
  ring.classList.toggle('is-eraser', brush.erases);
}
