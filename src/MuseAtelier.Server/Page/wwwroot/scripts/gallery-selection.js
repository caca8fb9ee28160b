// The pictures that are chosen in the gallery, by mouse, by touch and by keyboard.
import { t } from './i18n.js';
import { say } from './say.js';

export class Selection {
  #wall;
  #changed;
  #ids = new Set();
  #anchor = '';

  /**
   * @param {import("./gallery-wall.js").Wall} wall
   * @param {() => void} changed Called after each change.
   */
  constructor(wall, changed) {
    this.#wall = wall;
    this.#changed = changed;
  }

  /** The number of chosen pictures. */
  get count() {
    return this.#ids.size;
  }

  /** The chosen pictures in their order. */
  get pictures() {
    return this.#wall.pictures.filter((picture) => this.#ids.has(picture.id));
  }

  /**
   * Chooses a picture, or no longer.
   * @param {string} id
   */
  toggle(id) {
    this.#mark(id, !this.#ids.has(id));
    this.#anchor = id;
    this.#tell();
  }

  /**
   * Chooses all pictures from the last one that was chosen to this one.
   * @param {string} id
   */
  extendTo(id) {
    const order = this.#wall.pictures.map((picture) => picture.id);
    const end = order.indexOf(id);
    const start = order.indexOf(this.#anchor);
    const from = start < 0 ? end : start;
    for (const other of order.slice(Math.min(from, end), Math.max(from, end) + 1)) {
      this.#mark(other, true);
    }
    this.#anchor ||= id;
    this.#tell();
  }

  /**
   * Sets the picture from which a range begins, if none is chosen.
   * @param {string} id
   */
  beginAt(id) {
    if (this.#ids.size === 0) {
      this.#anchor = id;
    }
  }

  /** Chooses all pictures that hang on the wall. */
  all() {
    this.#wall.pictures.forEach((picture) => this.#mark(picture.id, true));
    this.#tell();
  }

  /** Chooses none. */
  clear() {
    if (this.#ids.size > 0) {
      [...this.#ids].forEach((id) => this.#mark(id, false));
      this.#anchor = '';
      this.#tell();
    }
  }

  /**
   * Forgets pictures that were taken down.
   * @param {string[]} ids
   */
  forget(ids) {
    if (ids.filter((id) => this.#ids.delete(id)).length > 0) {
      this.#changed();
    }
  }

  /**
   * @param {string} id
   * @param {boolean} isChosen
   */
  #mark(id, isChosen) {
    const tile = this.#wall.tileOf(id);
    if (isChosen) {
      this.#ids.add(id);
      tile?.setAttribute('aria-pressed', 'true');
    } else {
      this.#ids.delete(id);
      tile?.removeAttribute('aria-pressed');
    }
  }

  #tell() {
    this.#changed();
    say(t('chosen', { n: this.#ids.size }));
  }
}
