// The picture of the large view: fitted to the room, zoomed and moved by mouse, touch and keyboard.
import { el } from './dom.js';
import { t } from './i18n.js';

/** @typedef {{x: number, y: number}} Point */

/** A swipe is at least this long, in px. */
const swipe = 60;

export class LargePicture {
  /**
   * Called with -1 or 1 when the painter swipes to a neighbour.
   * @type {(way: number) => void}
   */
  onSwipe = () => undefined;

  #image = el('img', { class: 'large-image', draggable: false, decoding: 'async' });
  #seal = el('span', { class: 'seal large-seal', hidden: true, 'aria-hidden': 'true' }, '真');
  #held = el('div', { class: 'large-held' }, this.#image, this.#seal);
  /** @type {any} */
  #picture = { width: 1, height: 1 };
  #scale = 1;
  #x = 0;
  #y = 0;
  /** @type {Map<number, Point>} */
  #pointers = new Map();
  #start = { x: 0, y: 0 };

  /** The room: the element that takes wheel and pointers. */
  element = el('div', { class: 'large-room' }, this.#held);

  constructor() {
    this.element.addEventListener('wheel', (/** @type {any} */ event) => this.#wheel(event), { passive: false });
    this.element.addEventListener('dblclick', (/** @type {any} */ event) => this.#toggle(event));
    this.element.addEventListener('pointerdown', (/** @type {any} */ event) => this.#down(event));
    this.element.addEventListener('pointermove', (/** @type {any} */ event) => this.#move(event));
    for (const type of ['pointerup', 'pointercancel']) {
      this.element.addEventListener(type, (/** @type {any} */ event) => this.#up(event));
    }
  }

  /**
   * Shows a picture: its thumbnail at once, the file as soon as it is read.
   * @param {import('./store.js').Picture} picture
   * @param {string} vision
   */
  show(picture, vision) {
    this.#picture = picture;
    this.#image.alt = vision.slice(0, 1000) || t('untitled');
    this.#held.style.backgroundImage = `url("${picture.thumbnail}")`;
    this.#image.classList.remove('read');
    this.#image.onload = () => this.#image.classList.add('read');
    this.#image.src = picture.file;
    this.fit();
  }

  /** Forgets the picture, so that its memory is free. */
  clear() {
    this.#image.removeAttribute('src');
    this.#held.style.backgroundImage = '';
    this.stamp(false);
  }

  /**
   * Shows the seal of a verified picture, or not.
   * @param {boolean} isVerified
   */
  stamp(isVerified) {
    this.#seal.hidden = !isVerified;
  }

  /** Fits the picture to the room. */
  fit() {
    const { width, height } = this.#picture;
    const room = this.#room();
    const scale = Math.min(room.width / width, room.height / height);
    this.#held.style.width = `${Math.max(1, Math.round(width * scale))}px`;
    this.#held.style.height = `${Math.max(1, Math.round(height * scale))}px`;
    this.#set(1, 0, 0);
  }

  /**
   * Zooms by a factor around a point, given from the middle of the room.
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   */
  zoom(factor, x = 0, y = 0) {
    const next = Math.min(this.#most(), Math.max(1, this.#scale * factor));
    const change = next / this.#scale;
    this.#set(next, x - (x - this.#x) * change, y - (y - this.#y) * change);
  }

  /** The size that the style sheet leaves for the picture. */
  #room() {
    const style = getComputedStyle(this.element);
    return {
      width: Math.max(80, this.element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)),
      height: Math.max(80, this.element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom)),
    };
  }

  /** The largest zoom: four px of the screen for one of the picture, and at least fourfold. */
  #most() {
    return Math.max(4, (4 * this.#picture.width) / Math.max(1, this.#held.clientWidth));
  }

  /**
   * @param {number} scale
   * @param {number} x
   * @param {number} y
   */
  #set(scale, x, y) {
    const reach = (/** @type {number} */ inner, /** @type {number} */ outer) => Math.max(0, (inner * scale - outer) / 2 + 40);
    const maxX = scale === 1 ? 0 : reach(this.#held.clientWidth, this.element.clientWidth);
    const maxY = scale === 1 ? 0 : reach(this.#held.clientHeight, this.element.clientHeight);
    this.#scale = scale;
    this.#x = Math.min(maxX, Math.max(-maxX, x));
    this.#y = Math.min(maxY, Math.max(-maxY, y));
    this.#held.style.transform = scale === 1 ? '' : `translate(${this.#x}px, ${this.#y}px) scale(${scale})`;
    this.element.classList.toggle('zoomed', scale > 1);
  }

  /**
   * A point of an event, from where the middle of the fitted picture is.
   * @param {MouseEvent} event
   */
  #point(event) {
    const box = this.element.getBoundingClientRect();
    const style = getComputedStyle(this.element);
    const shift = (parseFloat(style.paddingTop) - parseFloat(style.paddingBottom)) / 2;
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 - shift };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const { x, y } = this.#point(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
  }

  /**
   * Between the fitted picture and its true size, or twice the fitted one where that is larger.
   * @param {MouseEvent} event
   */
  #toggle(event) {
    const { x, y } = this.#point(event);
    const trueSize = this.#picture.width / (this.#held.clientWidth * devicePixelRatio);
    this.zoom(this.#scale > 1 ? 1 / this.#scale : Math.max(2, trueSize), x, y);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) {
      return;
    }
    this.element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#point(event));
    this.#start = this.#point(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) {
      return;
    }
    const now = this.#point(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (other !== undefined) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      this.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
      this.#start = { x: NaN, y: NaN };
    } else if (this.#scale > 1) {
      this.#set(this.#scale, this.#x + now.x - before.x, this.#y + now.y - before.y);
    } else if (event.pointerType === 'touch' && !Number.isNaN(this.#start.x)) {
      this.#held.style.transform = `translateX(${now.x - this.#start.x}px)`;
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#scale > 1) {
      return;
    }
    const x = this.#point(event).x - this.#start.x;
    const y = this.#point(event).y - this.#start.y;
    this.#held.style.transform = '';
    if (event.type === 'pointerup' && Math.abs(x) > swipe && Math.abs(x) > 1.5 * Math.abs(y)) {
      this.onSwipe(x < 0 ? 1 : -1);
    }
  }
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
