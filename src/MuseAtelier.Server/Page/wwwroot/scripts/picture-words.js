// What a picture says of itself in words: its vision, its first words and its facts.
import { t } from './i18n.js';

/**
 * The prompt of a picture in one line; empty if it has no record.
 * @param {any} picture
 */
export function visionOf(picture) {
  return oneLine(picture?.request?.prompt);
}

/**
 * Text in one line.
 * @param {unknown} text
 */
export function oneLine(text) {
  return String(text ?? '').replace(/\s+/g, ' ').trim();
}

/**
 * The first words of a text, cut between words where there are any.
 * @param {unknown} text
 * @param {number} [most]
 */
export function firstWords(text, most = 64) {
  const line = oneLine(text);
  if (line.length <= most) {
    return line;
  }
  // A character of two code units is not cut in half.
  const cut = line.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
  const space = cut.lastIndexOf(' ');
  return `${(space > most / 2 ? cut.slice(0, space) : cut).replace(/[\s,，。;；:：、]+$/, '')}…`;
}

/**
 * The facts of a picture that its tile and the large view name.
 * @param {import('./store.js').Picture} picture
 */
export function factsOf(picture) {
  const request = picture.request ?? {};
  const facts = [`${picture.width} × ${picture.height}`];
  if (request.seed !== undefined) {
    facts.push(`${t('seed')} ${request.seed}`);
  }
  if (request.frame !== undefined && request.frame !== 'none') {
    facts.push(frameName(request.frame));
  }
  if (picture.model) {
    facts.push(picture.model);
  }
  return facts;
}

/**
 * The name of a frame.
 * @param {string} frame
 */
export function frameName(frame) {
  return ['gilded', 'ebony', 'celadon', 'none'].includes(frame) ? t(frame) : String(frame);
}

/**
 * The sheets of the design, as width over height.
 * @type {[string, number, number][]}
 */
const sheets = [['f11', 1, 1], ['f45', 4, 5], ['f23', 2, 3], ['f916', 9, 16], ['f32', 3, 2], ['f169', 16, 9], ['f125', 12, 5]];

/**
 * The sheet that a size has, by its name and its ratio; undefined if none is near.
 * @param {number} width
 * @param {number} height
 */
export function sheetOf(width, height) {
  const found = sheets.find(([, wide, high]) => Math.abs(Math.log((width / height) / (wide / high))) < 0.04);
  return found === undefined ? undefined : { key: found[0], ratio: `${found[1]}:${found[2]}` };
}
