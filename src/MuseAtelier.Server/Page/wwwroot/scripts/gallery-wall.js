// The gallery's pictures in their rows, one section a day. Holds the elements and their places; knows nothing of the server.
import { dayOf, dayTitle } from './days.js';
import { el } from './dom.js';
import { rowsOf } from './gallery-rows.js';
import { t } from './i18n.js';
import { factsOf, firstWords, visionOf } from './picture-words.js';

/** @typedef {import('./store.js').Picture} Picture */

/**
 * @typedef {object} Day
 * @property {string} key
 * @property {Picture[]} pictures Newest first.
 * @property {HTMLElement} section
 * @property {HTMLElement} heading
 * @property {HTMLElement} rows
 * @typedef {object} Entry
 * @property {Picture} picture
 * @property {HTMLButtonElement} tile
 * @property {number} centre The middle of the tile, in px from the left end of its row.
 */

export class Wall {
  #scroller;
  #host;
  /** @type {Day[]} */
  #days = [];
  /** @type {Map<string, Entry>} */
  #hung = new Map();
  #current = '';

  /**
   * @param {HTMLElement} scroller The element that scrolls.
   * @param {HTMLElement} host The element inside it that takes the days.
   */
  constructor(scroller, host) {
    this.#scroller = scroller;
    this.#host = host;
  }

  /** The pictures in their order, newest first. */
  get pictures() {
    return this.#days.flatMap((day) => day.pictures);
  }

  /** The number of pictures that hang here. */
  get count() {
    return this.#hung.size;
  }

  /** The picture that the Tab key reaches. */
  get current() {
    return this.#hung.get(this.#current)?.picture;
  }

  /**
   * Whether the picture hangs here.
   * @param {string} id
   */
  has(id) {
    return this.#hung.has(id);
  }

  /**
   * The picture of a tile, or of an element inside it.
   * @param {any} element
   */
  pictureOf(element) {
    const id = element.closest?.('.gallery-picture')?.dataset.id;
    return id === undefined ? undefined : this.#hung.get(id)?.picture;
  }

  /**
   * The tile of a picture.
   * @param {string} id
   */
  tileOf(id) {
    return this.#hung.get(id)?.tile;
  }

  /**
   * Takes all pictures down and hangs these.
   * @param {Picture[]} pictures
   */
  show(pictures) {
    this.#days = [];
    const before = this.#hung;
    this.#hung = new Map();
    this.#host.replaceChildren();
    this.add(pictures, before);
  }

  /**
   * Hangs further pictures, each at its place by time. What the painter looks at stays where it is.
   * @param {Picture[]} pictures
   * @param {Map<string, Entry>} [known]
   */
  add(pictures, known = new Map()) {
    const changed = new Set();
    for (const picture of pictures) {
      if (this.#hung.has(picture.id)) {
        continue;
      }
      const tile = known.get(picture.id)?.tile ?? tileFor(picture);
      this.#hung.set(picture.id, { picture, tile, centre: 0 });
      const day = this.#dayFor(dayOf(picture.painted));
      insertByTime(day.pictures, picture);
      changed.add(day);
    }
    this.#keepPlace(() => changed.forEach((day) => this.#lay(day)));
    this.#makeReachable();
  }

  /**
   * Takes pictures down.
   * @param {string[]} ids
   */
  remove(ids) {
    const gone = new Set(ids);
    const order = this.pictures;
    const place = order.findIndex((picture) => picture.id === this.#current);
    const hadFocus = gone.has(this.#current) && document.activeElement === this.tileOf(this.#current);
    const left = order.slice(Math.max(place, 0)).find((picture) => !gone.has(picture.id))
      ?? order.findLast((picture) => !gone.has(picture.id));
    this.#keepPlace(() => {
      for (const day of this.#days) {
        const kept = day.pictures.filter((picture) => !gone.has(picture.id));
        if (kept.length < day.pictures.length) {
          day.pictures = kept;
          this.#lay(day);
        }
      }
      this.#days = this.#days.filter((day) => day.pictures.length > 0 || day.section.remove());
    });
    gone.forEach((id) => this.#hung.delete(id));
    if (gone.has(this.#current) && left !== undefined) {
      this.makeCurrent(left.id, hadFocus);
    }
    this.#makeReachable();
  }

  /** Lays all rows again, for another width of the window. */
  resize() {
    this.#keepPlace(() => this.#days.forEach((day) => this.#lay(day)));
  }

  /** Writes all texts again, for another language. */
  speak() {
    for (const day of this.#days) {
      day.heading.textContent = dayTitle(day.key);
    }
    for (const { picture, tile } of this.#hung.values()) {
      nameTile(tile, picture);
    }
  }

  /**
   * Makes a picture the one that the Tab key reaches, and moves the focus to it if asked.
   * @param {string} id
   * @param {boolean} [takesFocus]
   */
  makeCurrent(id, takesFocus = true) {
    const next = this.#hung.get(id);
    if (next === undefined) {
      return;
    }
    const last = this.#hung.get(this.#current);
    if (last !== undefined) {
      last.tile.tabIndex = -1;
    }
    this.#current = id;
    next.tile.tabIndex = 0;
    if (takesFocus) {
      next.tile.focus({ preventScroll: true });
      next.tile.scrollIntoView({ block: 'nearest' });
    }
  }

  /**
   * The picture that an arrow key leads to from the current one; undefined at an end.
   * @param {"ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown" | "Home" | "End"} key
   */
  neighbour(key) {
    const order = this.pictures;
    const place = order.findIndex((picture) => picture.id === this.#current);
    switch (key) {
      case 'Home': return order[0];
      case 'End': return order.at(-1);
      case 'ArrowLeft': return order[place - 1];
      case 'ArrowRight': return order[place + 1];
      default: return this.#inNextRow(key === 'ArrowUp' ? -1 : 1);
    }
  }

  /**
   * The picture of the row above or below whose middle is nearest.
   * @param {number} step
   */
  #inNextRow(step) {
    const here = this.#hung.get(this.#current);
    const rows = [.../** @type {NodeListOf<HTMLElement>} */ (this.#host.querySelectorAll('.hang-row'))];
    const row = rows[rows.findIndex((each) => each === here?.tile.parentElement) + step];
    if (row === undefined || here === undefined) {
      return undefined;
    }
    const entries = [...this.#hung.values()].filter((entry) => entry.tile.parentElement === row);
    const distance = (/** @type {Entry} */ entry) => Math.abs(entry.centre - here.centre);
    return entries.reduce((best, entry) => (distance(entry) < distance(best) ? entry : best)).picture;
  }

  /** Sees to it that exactly one tile is reached by the Tab key. */
  #makeReachable() {
    if (!this.#hung.has(this.#current)) {
      this.#current = '';
      const first = this.#days[0]?.pictures[0];
      if (first !== undefined) {
        this.makeCurrent(first.id, false);
      }
    }
  }

  /**
   * The section of a day, made at its place if there is none.
   * @param {string} key
   */
  #dayFor(key) {
    const found = this.#days.find((day) => day.key === key);
    if (found !== undefined) {
      return found;
    }
    const heading = el('h2', { class: 'day-title' }, dayTitle(key));
    const rows = el('div', { class: 'day-rows' });
    const section = el('section', { class: 'day' }, heading, rows);
    const day = { key, pictures: [], section, heading, rows };
    const place = this.#days.findIndex((other) => other.key < key);
    if (place < 0) {
      this.#days.push(day);
      this.#host.append(section);
    } else {
      this.#host.insertBefore(section, this.#days[place].section);
      this.#days.splice(place, 0, day);
    }
    return day;
  }

  /**
   * Lays the rows of a day. Tiles keep their elements, so nothing is loaded again.
   * @param {Day} day
   */
  #lay(day) {
    const size = this.#size();
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const rows = rowsOf(/** @type {any} */ (day.pictures), size).map((row) => {
      const host = el('div', { class: 'hang-row' });
      host.style.height = `${row.height}px`;
      let left = 0;
      for (const { index, width } of row.items) {
        const entry = /** @type {Entry} */ (this.#hung.get(day.pictures[index].id));
        entry.centre = left + width / 2;
        entry.tile.style.width = `${width}px`;
        left += width + size.gap;
        host.append(entry.tile);
      }
      return host;
    });
    day.rows.replaceChildren(...rows);
    if (focused?.classList?.contains('gallery-picture') && day.rows.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** The sizes that the style sheet sets for this window. */
  #size() {
    const style = getComputedStyle(this.#host);
    const width = this.#host.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return {
      width: Math.max(120, Math.floor(width)),
      target: parseFloat(style.getPropertyValue('--row-height')) || 204,
      gap: parseFloat(style.getPropertyValue('--row-gap')) || 26
    };
  }

  /**
   * Changes the rows and scrolls so that the first visible picture stays where it was.
   * @param {() => void} change
   */
  #keepPlace(change) {
    const top = this.#scroller.getBoundingClientRect().top;
    const anchor = this.#scroller.scrollTop > 0 ? this.#firstVisible(top) : undefined;
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (anchor?.isConnected) {
      this.#scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    }
  }

  /**
   * The first tile whose row is in view.
   * @param {number} top
   */
  #firstVisible(top) {
    for (const day of this.#days) {
      if (day.section.getBoundingClientRect().bottom <= top) {
        continue;
      }
      for (const row of day.rows.children) {
        if (row.getBoundingClientRect().bottom > top) {
          return row.firstElementChild;
        }
      }
    }
    return undefined;
  }
}

/**
 * Inserts a picture, newest first; most come at the end.
 * @param {Picture[]} pictures
 * @param {Picture} picture
 */
function insertByTime(pictures, picture) {
  const last = pictures.at(-1);
  const isLast = last === undefined || last.painted >= picture.painted;
  const place = isLast ? pictures.length : pictures.findIndex((other) => other.painted < picture.painted);
  pictures.splice(place, 0, picture);
}

/**
 * A tile: a button that opens the picture.
 * @param {Picture} picture
 */
function tileFor(picture) {
  const image = el('img', { alt: '', loading: 'lazy', decoding: 'async', draggable: false });
  const words = el('span', { class: 'gallery-words', dir: 'auto' });
  const tile = el('button', { class: 'gallery-picture', type: 'button', tabIndex: -1 }, image, words);
  tile.dataset.id = picture.id;
  image.width = picture.width;
  image.height = picture.height;
  image.addEventListener('error', () => tile.classList.add('lost'));
  image.src = picture.thumbnail;
  nameTile(tile, picture);
  return tile;
}

/**
 * Writes a tile's texts: its name is the vision, its description the facts.
 * @param {any} tile
 * @param {Picture} picture
 */
function nameTile(tile, picture) {
  const vision = visionOf(picture);
  tile.lastElementChild.textContent = firstWords(vision) || t('untitled');
  tile.setAttribute('aria-label', vision.slice(0, 400) || t('untitled'));
  tile.setAttribute('aria-description', factsOf(picture).join(', '));
}
