// Justified rows: pictures of any proportions in rows of one width.

/** The narrowest and the widest proportions that a picture has in a row; beyond them it is cropped. */
const narrowest = 0.4;
const widest = 3.6;

/**
 * @typedef {object} RowItem
 * @property {number} index The picture's place in the list.
 * @property {number} width The width in px.
 * @typedef {object} Row
 * @property {number} height The height in px.
 * @property {RowItem[]} items The pictures from left to right.
 * @typedef {object} Size
 * @property {number} width
 * @property {number} target
 * @property {number} gap
 */

/**
 * Lays pictures out in rows. Each row but the last fills the width; its height is as near to the target as the proportions allow.
 * @param {{width: number, height: number}[]} pictures
 * @param {Size} size The width of a row, the height aimed at, and the gap between pictures.
 * @returns {Row[]}
 */
export function rowsOf(pictures, size) {
  const rows = [];
  let first = 0;
  let sum = 0;
  for (let index = 0; index < pictures.length; index++) {
    const ratio = ratioOf(pictures[index]);
    const without = heightOf(sum, index - first, size);
    const height = heightOf(sum + ratio, index - first + 1, size);
    sum += ratio;
    if (height > size.target) {
      continue;
    }
    const closesBefore = index > first && without / size.target < size.target / height;
    const end = closesBefore ? index : index + 1;
    rows.push(rowOf(pictures, first, end, closesBefore ? without : height, size));
    first = end;
    sum = closesBefore ? ratio : 0;
  }
  if (first < pictures.length) {
    const height = Math.min(size.target, heightOf(sum, pictures.length - first, size));
    rows.push(rowOf(pictures, first, pictures.length, height, size, true));
  }
  return rows;
}

/**
 * The proportions of a picture as a row shows them.
 * @param {{width: number, height: number}} picture
 */
function ratioOf(picture) {
  return Math.min(widest, Math.max(narrowest, picture.width / picture.height));
}

/**
 * The height at which pictures with this sum of proportions fill the width.
 * @param {number} sum
 * @param {number} count
 * @param {Size} size
 */
function heightOf(sum, count, size) {
  return sum === 0 ? Infinity : (size.width - size.gap * (count - 1)) / sum;
}

/**
 * A row in whole px. The last picture of a filled row takes what rounding left over, so that the right edges are in line.
 * @param {{width: number, height: number}[]} pictures
 * @param {number} first
 * @param {number} end
 * @param {number} height
 * @param {Size} size
 * @param {boolean} [isLast]
 */
function rowOf(pictures, first, end, height, size, isLast = false) {
  const items = [];
  let left = size.width - size.gap * (end - first - 1);
  for (let index = first; index < end; index++) {
    const isFilling = index === end - 1 && !isLast;
    const width = isFilling ? left : Math.min(left, Math.round(ratioOf(pictures[index]) * height));
    items.push({ index, width });
    left -= width;
  }
  return { height: Math.round(height), items };
}
