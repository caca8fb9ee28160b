// The mask over a source: what is brushed is painted anew.

/**
 * @typedef {object} Deed One thing that was done to the mask; those that are kept can be undone.
 * @property {'stroke' | 'invert' | 'clear' | 'image'} kind
 * @property {boolean} [erases]
 * @property {number} [width] In px of the mask.
 * @property {{x: number, y: number}[]} [points]
 * @property {CanvasImageSource} [image]
 */

/** The most pixels of a mask. The server scales a smaller one to its source. */
const mostPixels = 4096 * 4096;

/** Cinnabar. */
const tint = '#a3311e';

/** The most deeds that can be undone. */
const mostDeeds = 100;

export class MaskCanvas {
  element = document.createElement('canvas');
  #pen = /** @type {CanvasRenderingContext2D} */ (this.element.getContext('2d', { willReadFrequently: false }));
  /** What lies under the deeds that can be undone. */
  #ground = document.createElement('canvas');
  /** @type {Deed[]} */
  #deeds = [];
  /** @type {Deed[]} */
  #undone = [];
  /** @type {Deed | null} */
  #stroke = null;

  /**
   * Begins anew for a source.
   * @param {number} width
   * @param {number} height
   */
  reset(width, height) {
    const scale = Math.min(1, Math.sqrt(mostPixels / (width * height)));
    for (const canvas of [this.element, this.#ground]) {
      canvas.width = Math.max(1, Math.round(width * scale));
      canvas.height = Math.max(1, Math.round(height * scale));
    }
    this.#deeds = [];
    this.#undone = [];
    this.#stroke = null;
  }

  get canUndo() {
    return this.#deeds.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /**
   * Begins a stroke.
   * @param {{x: number, y: number}} point In px of the mask.
   * @param {number} width
   * @param {boolean} erases
   */
  begin(point, width, erases) {
    this.#stroke = { kind: 'stroke', erases, width, points: [point] };
    this.#draw(this.#stroke);
  }

  /** @param {{x: number, y: number}} point */
  extend(point) {
    if (this.#stroke?.points) {
      const last = this.#stroke.points[this.#stroke.points.length - 1];
      this.#stroke.points.push(point);
      this.#draw({ ...this.#stroke, points: [last, point] });
    }
  }

  /** @returns {boolean} Whether there was a stroke. */
  end() {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (stroke) {
      this.#keep(stroke);
    }
    return stroke !== null;
  }

  invert() {
    this.#do({ kind: 'invert' });
  }

  clear() {
    this.#do({ kind: 'clear' });
  }

  undo() {
    const deed = this.#deeds.pop();
    if (deed) {
      this.#undone.push(deed);
      this.#redraw();
    }
  }

  redo() {
    const deed = this.#undone.pop();
    if (deed) {
      this.#deeds.push(deed);
      this.#draw(deed);
    }
  }

  /**
   * Lays a mask that was kept before under the strokes: its white is painted anew.
   * @param {CanvasImageSource} image
   */
  load(image) {
    const pen = /** @type {CanvasRenderingContext2D} */ (this.#ground.getContext('2d'));
    pen.clearRect(0, 0, this.#ground.width, this.#ground.height);
    pen.drawImage(this.#tinted(image, (data, at) => data[at]), 0, 0);
    this.#redraw();
  }

  /**
   * Brushes the transparent parts of a picture.
   * @param {CanvasImageSource} image
   */
  addTransparent(image) {
    this.#do({ kind: 'image', image: this.#tinted(image, (data, at) => 255 - data[at + 3]) });
  }

  /** @returns {boolean} Whether nothing is brushed. */
  isEmpty() {
    const { width, height } = this.element;
    const { data } = this.#pen.getImageData(0, 0, width, height);
    for (let at = 3; at < data.length; at += 4) {
      if (data[at] > 127) {
        return false;
      }
    }
    return true;
  }

  /** @returns {Promise<Blob>} The mask as PNG: white where it is brushed, black elsewhere. */
  toPng() {
    const { width, height } = this.element;
    const copy = document.createElement('canvas');
    copy.width = width;
    copy.height = height;
    const pen = /** @type {CanvasRenderingContext2D} */ (copy.getContext('2d'));
    pen.drawImage(this.element, 0, 0);
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = 'destination-over';
    pen.fillStyle = '#000';
    pen.fillRect(0, 0, width, height);
    return new Promise((done, fail) => copy.toBlob((blob) => (blob ? done(blob) : fail(new Error('no PNG'))), 'image/png'));
  }

  /**
   * A picture as what is brushed.
   * @param {CanvasImageSource} image
   * @param {(data: Uint8ClampedArray, at: number) => number} opacity How much of a pixel is brushed.
   */
  #tinted(image, opacity) {
    const canvas = document.createElement('canvas');
    const { width, height } = this.element;
    canvas.width = width;
    canvas.height = height;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    pen.drawImage(image, 0, 0, width, height);
    const pixels = pen.getImageData(0, 0, width, height);
    for (let at = 0; at < pixels.data.length; at += 4) {
      pixels.data[at + 3] = opacity(pixels.data, at);
    }
    pen.putImageData(pixels, 0, 0);
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = tint;
    pen.fillRect(0, 0, width, height);
    return canvas;
  }

  /** @param {Deed} deed */
  #do(deed) {
    this.#draw(deed);
    this.#keep(deed);
  }

  /** @param {Deed} deed */
  #keep(deed) {
    this.#undone = [];
    this.#deeds.push(deed);
    if (this.#deeds.length > mostDeeds) {
      const oldest = /** @type {Deed} */ (this.#deeds.shift());
      this.#draw(oldest, /** @type {CanvasRenderingContext2D} */ (this.#ground.getContext('2d')));
    }
  }

  #redraw() {
    this.#pen.globalCompositeOperation = 'copy';
    this.#pen.drawImage(this.#ground, 0, 0);
    this.#pen.globalCompositeOperation = 'source-over';
    this.#deeds.forEach((deed) => this.#draw(deed));
  }

  /**
   * @param {Deed} deed
   * @param {CanvasRenderingContext2D} [pen]
   */
  #draw(deed, pen = this.#pen) {
    const { width, height } = this.element;
    if (deed.kind === 'clear') {
      pen.clearRect(0, 0, width, height);
      return;
    }
    pen.save();
    pen.fillStyle = pen.strokeStyle = tint;
    if (deed.kind === 'invert') {
      // What is brushed goes, and what is not is brushed.
      pen.globalCompositeOperation = 'source-out';
      pen.fillRect(0, 0, width, height);
    } else if (deed.image) {
      pen.drawImage(deed.image, 0, 0);
    } else {
      pen.globalCompositeOperation = deed.erases ? 'destination-out' : 'source-over';
      pen.lineWidth = deed.width ?? 1;
      pen.lineCap = pen.lineJoin = 'round';
      const [first, ...rest] = deed.points ?? [];
      pen.beginPath();
      pen.moveTo(first.x, first.y);
      // A line without length is a dot.
      (rest.length > 0 ? rest : [first]).forEach(({ x, y }) => pen.lineTo(x, y));
      pen.stroke();
    }
    pen.restore();
  }
}
