/**
 * @typedef {object} Format
 * @property {string} key The key of its name.
 * @property {string} ratio Its name in figures.
 * @property {number} width In px at the full scale.
 * @property {number} height
 */

/**
 * The formats: sizes of the same area that the model was trained with.
 * @type {readonly Format[]}
 */
export const formats = [
  { key: 'f11', ratio: '1:1', width: 1024, height: 1024 },
  { key: 'f45', ratio: '4:5', width: 896, height: 1152 },
  { key: 'f23', ratio: '2:3', width: 832, height: 1216 },
  { key: 'f916', ratio: '9:16', width: 768, height: 1344 },
  { key: 'f32', ratio: '3:2', width: 1216, height: 832 },
  { key: 'f169', ratio: '16:9', width: 1344, height: 768 },
  { key: 'f125', ratio: '12:5', width: 1536, height: 640 },
];

/** The scales: the side of a square picture. */
export const scales = [
  { key: 's1', side: 512 },
  { key: 's2', side: 768 },
  { key: 's3', side: 1024 },
];

/**
 * The size of a format at a scale.
 * @param {Format} format
 * @param {number} scale
 */
export function sizeOf(format, scale) {
  return { width: (format.width * scale) / 1024, height: (format.height * scale) / 1024 };
}

/**
 * The format whose proportions a size has, or null.
 * @param {number} width
 * @param {number} height
 * @param {number} [slack] By how much the proportions may differ, as a share of them.
 */
export function formatOf(width, height, slack = 0.005) {
  return formats.find((each) => Math.abs(Math.log(each.width / each.height / (width / height))) < slack) ?? null;
}

/**
 * The scale of a size, or null.
 * @param {number} width
 * @param {number} height
 */
export function scaleOf(width, height) {
  const format = formatOf(width, height);
  return scales.find((each) => format && sizeOf(format, each.side).width === width) ?? null;
}

/**
 * Width and height of a small sheet of these proportions, with the area of a square of this side.
 * @param {number} width
 * @param {number} height
 * @param {number} side
 */
export function sheetShape(width, height, side) {
  const ratio = Math.sqrt(width / height);
  return { width: `${Math.round(side * ratio)}px`, height: `${Math.round(side / ratio)}px` };
}
