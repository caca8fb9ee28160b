// Dragging the rows of the queue. A mouse takes a row anywhere, a finger at its sheet, so that the page can still be scrolled.

/** A press becomes a drag after this many px. */
const slack = 5;

export class QueueDrag {
  #list;
  #moved;
  /** @type {{row: HTMLElement, rows: HTMLElement[], from: number, to: number, y: number, pointer: number, isMoving: boolean} | null} */
  #held = null;
  #endedAt = -Infinity;

  /**
   * @param {HTMLElement} list
   * @param {(id: string, place: number) => void} moved Called when a row is let go at a place.
   */
  constructor(list, moved) {
    this.#list = list;
    this.#moved = moved;
    list.addEventListener('pointerdown', (event) => this.#down(event));
    list.addEventListener('pointermove', (event) => this.#move(event));
    list.addEventListener('pointerup', (event) => this.#up(event));
    list.addEventListener('pointercancel', () => this.#end());
  }

  /** Whether a row is held. */
  get isDragging() {
    return this.#held?.isMoving === true;
  }

  /** Whether the click that is handled now ends a drag. */
  get wasDrag() {
    return performance.now() - this.#endedAt < 50;
  }

  /** @param {any} event */
  #down(event) {
    const row = event.target.closest('.waiting');
    const button = event.target.closest('button');
    const isHandle = button?.classList.contains('waiting-sheet') === true;
    if (row === null || event.button !== 0 || (button !== null && !isHandle) || (event.pointerType !== 'mouse' && !isHandle)) {
      return;
    }
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const from = rows.indexOf(row);
    this.#held = { row, rows, from, to: from, y: event.clientY, pointer: event.pointerId, isMoving: false };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const held = this.#held;
    if (held === null || event.pointerId !== held.pointer) {
      return;
    }
    const shift = event.clientY - held.y;
    if (!held.isMoving && Math.abs(shift) > slack) {
      held.isMoving = true;
      this.#list.setPointerCapture(held.pointer);
      this.#list.classList.add('dragging');
      held.row.classList.add('held');
    }
    if (!held.isMoving) {
      return;
    }
    event.preventDefault();
    const height = held.row.offsetHeight;
    held.to = Math.min(held.rows.length - 1, Math.max(0, held.from + Math.round(shift / height)));
    held.row.style.transform = `translateY(${shift}px)`;
    held.rows.forEach((row, index) => {
      if (row !== held.row) {
        const isBetween = (index > held.from && index <= held.to) || (index < held.from && index >= held.to);
        row.style.transform = isBetween ? `translateY(${index > held.from ? -height : height}px)` : '';
      }
    });
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const held = this.#held;
    if (held === null || event.pointerId !== held.pointer) {
      return;
    }
    this.#end();
    if (held.isMoving) {
      this.#endedAt = performance.now();
      this.#moved(held.row.dataset.id ?? '', held.to);
    }
  }

  #end() {
    const held = this.#held;
    this.#held = null;
    if (held !== null) {
      this.#list.classList.remove('dragging');
      held.row.classList.remove('held');
      held.rows.forEach((row) => (row.style.transform = ''));
    }
  }
}
