// How closely the mask is looked at: its picture is enlarged within the easel, around the place that is pointed at.

const most = 8;

/** The enlarged view of a layer within its box. */
export class MaskView {
  /**
   * @param {HTMLElement} layer What is enlarged; it fills the box.
   * @param {HTMLElement} box What it is seen through.
   */
  constructor(layer, box) {
    this.layer = layer;
    this.box = box;
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
  }

  /** Shows all of it again. */
  reset() {
    [this.zoom, this.x, this.y] = [1, 0, 0];
    this.show();
  }

  /**
   * Enlarges or reduces the view, so that a place of the window stays where it is.
   * @param {number} by
   * @param {{x: number, y: number}} [place] In px of the window; the middle of the box without it.
   */
  by(by, place) {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const [x, y] = place ? [place.x - left, place.y - top] : [width / 2, height / 2];
    const next = Math.min(most, Math.max(1, this.zoom * by));
    this.x = x - ((x - this.x) * next) / this.zoom;
    this.y = y - ((y - this.y) * next) / this.zoom;
    this.zoom = next;
    this.show();
  }

  /**
   * Moves the view.
   * @param {number} x In px of the window.
   * @param {number} y
   */
  move(x, y) {
    this.x += x;
    this.y += y;
    this.show();
  }

  /** The box is always filled. */
  show() {
    const { clientWidth: width, clientHeight: height } = this.box;
    this.x = Math.min(0, Math.max(width * (1 - this.zoom), this.x));
    this.y = Math.min(0, Math.max(height * (1 - this.zoom), this.y));
    this.layer.style.transform = this.zoom === 1 ? '' : `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`;
  }
}

/**
 * Has two fingers move and enlarge the view.
 * @param {HTMLElement} element What is touched.
 * @param {MaskView} view
 * @param {{began: () => void, moved: () => void}} told Called when a second finger comes, and after each change.
 */
export function pinch(element, view, { began, moved }) {
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  const middle = () => {
    const [a, b] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch' && fingers.size < 2) {
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.size === 2) {
        began();
      }
    }
  });
  element.addEventListener('pointermove', (event) => {
    if (fingers.size < 2 || !fingers.has(event.pointerId)) {
      return;
    }
    const before = middle();
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle();
    view.move(after.x - before.x, after.y - before.y);
    view.by(after.apart / Math.max(1, before.apart), after);
    moved();
  });
  for (const type of ['pointerup', 'pointercancel']) {
    element.addEventListener(type, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
}
