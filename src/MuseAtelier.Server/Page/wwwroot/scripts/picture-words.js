// What a picture says of itself in words: its vision, its title and its facts.
import { withoutComments } from './comments.js';
import { hiresFacts } from './hires.js';
import { duration, t } from './i18n.js';
import { secondsOf } from './jobs.js';
import { mannerFacts } from './manners.js';
import { sourceFacts } from './source.js';
import { state } from './store.js';

/**
 * The prompt of a picture in one line, without comments; empty if it has no record.
 * @param {any} picture
 */
export function visionOf(picture) {
  return oneLine(withoutComments(picture?.request?.prompt, picture?.request?.syntax));
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
 * What a picture is called: the first words of its vision that say what it shows.
 * @param {import('./store.js').Picture} picture
 */
export function titleOf(picture) {
  const words = withoutComments(picture.request?.prompt, picture.request?.syntax);
  const [first, second] = words.split(/[,，;；\n]/).map((each) => each.trim()).filter(Boolean);
  if (!first) {
    return t(picture.isStudy ? 'study' : 'untitled');
  }
  // "oil painting by …" says how, not what.
  return /^(oil|ink|watercolou?r|painting|picture|photo|a painting)\b.*(painting|by|of)\b/i.test(first) && second ? second : first;
}

/**
 * The facts of a picture, line by line.
 * @param {import('./store.js').Picture} picture
 * @returns {string[]}
 */
export function factsOf(picture) {
  const { width, height, request } = picture;
  const job = state.jobs.find((each) => each.id === picture.job);
  const seconds = secondsOf(job) / (job?.count ?? 1);
  const painted = seconds > 0 ? t('by', { m: picture.model ?? '', s: duration(seconds) }) : picture.model;
  const size = `${width} × ${height}`;
  if (!request) {
    return [size, painted].filter(Boolean);
  }
  const { steps, sampler, guidance, seed, frame } = request;
  const framed = frame && frame !== 'none' ? t('framed', { x: frameName(frame) }) : t('unframed');
  return [
    [size, t('steps_n', { n: steps })],
    [samplerName(sampler), t('guidance_n', { n: guidance })],
    [t('seed_n', { n: seed }), lower(framed)],
    sourceFacts(request),
    hiresFacts(request),
    mannerFacts(request),
    [painted],
  ].map((line) => line.filter(Boolean).join(' · ')).filter((line) => line !== '');
}

/** @param {string} text */
const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

/**
 * The name of a frame.
 * @param {string} frame
 */
export function frameName(frame) {
  return ['gilded', 'ebony', 'celadon', 'none'].includes(frame) ? t(frame) : String(frame);
}

/**
 * The name that people know a sampler by.
 * @param {string} name
 * @returns {string}
 */
export function samplerName(name) {
  return state.offer?.samplers?.find((/** @type {any} */ each) => each.name === name)?.label ?? name;
}
