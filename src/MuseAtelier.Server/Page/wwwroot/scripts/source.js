// The picture that is painted from: where it comes from, and how it stands in a request.
import * as api from './api.js';
import { sentenceOf, tooBig } from './errors.js';
import { t } from './i18n.js';
import { formatOf, sizeOf } from './sizes.js';
import './source-texts.js';
import { change, running, set, state } from './store.js';
import { tell, undoBy } from './toast.js';

/**
 * @typedef {object} SourceMask What is painted anew.
 * @property {string} upload The upload that holds it: white is painted anew.
 * @property {number} blur
 * @property {string} content
 * @property {number | null} onlyMaskedPadding
 * @property {boolean} pasteBack
 */

/**
 * @typedef {object} Source The picture that is painted from.
 * @property {string} [upload] The upload that holds it, or
 * @property {string} [picture] the picture of the gallery.
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {boolean} [hasAlpha] Whether parts of it are transparent.
 * @property {number} strength
 * @property {string} fit
 * @property {Margins} [extend] The margins by which it is extended.
 * @property {SourceMask | null} mask Null where the whole picture is painted anew.
 * @property {Omit<SourceMask, 'upload'>} brush The options of the next mask.
 */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Margins Margins in px. */

/** @type {Margins} */
const noMargins = Object.freeze({ left: 0, top: 0, right: 0, bottom: 0 });

/** @type {Omit<SourceMask, 'upload'>} */
const freshBrush = Object.freeze({ blur: 4, content: 'original', onlyMaskedPadding: null, pasteBack: true });

/** What has to be done before a request is sent. @type {() => Promise<void>} */
let prepare = async () => undefined;

/** @returns {boolean} Whether the server paints from pictures. */
export function canBegin() {
  return state.offer?.features?.pictures === true;
}

/**
 * Has something done before each request that paints: what is brushed is kept by the server first.
 * @param {() => Promise<void>} run
 */
export function beforePainting(run) {
  prepare = run;
}

/** Does what has to be done before a request is sent. */
export const prepareSource = () => prepare();

/**
 * Where a source can be seen.
 * @param {Partial<Source>} source
 */
export function addressOf(source) {
  return source.upload ? api.uploadUrl(source.upload) : `/api/v1/pictures/${encodeURIComponent(source.picture ?? '')}/file`;
}

/**
 * A source as a request has it.
 * @param {Source | null} source
 */
export function wireOf(source) {
  if (!source) {
    return undefined;
  }
  const { upload, picture, fit, strength, mask, extend } = source;
  return {
    ...(upload ? { upload } : { picture }), fit, strength,
    ...(isExtended(source) ? { extend } : {}), ...(mask ? { mask: { ...mask } } : {}),
  };
}

/**
 * Begins from a file: the server keeps it, and it stands on the easel.
 * @param {File} file
 * @returns {Promise<boolean>} Whether it was taken.
 */
export async function beginFromFile(file) {
  const most = state.offer?.limits?.uploadBytes ?? Infinity;
  if (file.size > most) {
    tell(tooBig(file.size, most));
    return false;
  }
  try {
    const kept = await api.postUpload(file, file.name);
    take({ upload: kept.id, name: kept.name ?? file.name, width: kept.width, height: kept.height, hasAlpha: kept.hasAlpha });
    return true;
  } catch (/** @type {any} */ problem) {
    tell(problem.kind === 'body-too-large' ? tooBig(file.size, most) : sentenceOf(problem));
    return false;
  }
}

/**
 * Begins from a picture of the gallery.
 * @param {import('./store.js').Picture} picture
 */
export function beginFromPicture(picture) {
  take({ picture: picture.id, name: picture.request?.prompt || t('untitled'), width: picture.width, height: picture.height });
}

/** Stands the source on the easel. */
export function draft() {
  set('watching', running() === null);
  set('isDrafting', true);
}

/** Takes the source off the easel; the toast puts it back. */
export function dropSource() {
  const { source } = state.settings;
  change({ source: null });
  set('isDrafting', false);
  tell(t('draft_off'), undoBy(() => change({ source })));
}

/**
 * Changes some of the source.
 * @param {Partial<Source>} some
 */
export function changeSource(some) {
  if (state.settings.source) {
    change({ source: { ...state.settings.source, ...some } });
  }
}

/** @param {Partial<Source>} source */
export const marginsOf = (source) => ({ ...noMargins, ...source.extend });

/** @param {Partial<Source>} source */
export const isExtended = (source) => Object.values(marginsOf(source)).some((each) => each > 0);

/**
 * The size of a source with its margins.
 * @param {Source} source
 */
export function extentOf(source) {
  const { left, top, right, bottom } = marginsOf(source);
  return { width: source.width + left + right, height: source.height + top + bottom };
}

/**
 * Changes some of the margins. What is painted has the proportions of the source with them.
 * @param {Partial<Margins>} some
 */
export function changeMargins(some) {
  const { source } = state.settings;
  if (source) {
    const extended = { ...source, extend: { ...marginsOf(source), ...some } };
    const { width, height } = extentOf(extended);
    change({ source: extended, ...shapeOf(width, height) });
  }
}

/**
 * Changes some of the brush's options, for the mask that is and for the next.
 * @param {Partial<SourceMask>} some
 */
export function changeBrush(some) {
  const { source } = state.settings;
  if (source) {
    changeSource({ brush: { ...source.brush, ...some }, mask: source.mask && { ...source.mask, ...some } });
  }
}

/**
 * The source of a request that was painted before; null if the server no longer keeps its files.
 * @param {Record<string, any>} wire As a request of docs/http-api.md has it.
 * @returns {Promise<Source | null>}
 */
export async function recallSource({ upload, picture, name, fit, strength, mask, extend, ...size }) {
  try {
    const kept = upload ? await api.getUpload(upload) : await api.getPicture(picture ?? '');
    if (mask) {
      await api.getUpload(mask.upload);
    }
    const { blur, content, onlyMaskedPadding, pasteBack } = { ...freshBrush, ...mask };
    const brush = { blur, content, onlyMaskedPadding: onlyMaskedPadding ?? null, pasteBack };
    return {
      ...(upload ? { upload } : { picture }),
      name: name ?? kept.name ?? t('untitled'),
      width: kept.width ?? size.width,
      height: kept.height ?? size.height,
      hasAlpha: kept.hasAlpha,
      fit: fit ?? 'crop',
      strength: strength ?? usualStrength(),
      ...(extend ? { extend } : {}),
      mask: mask ? { upload: mask.upload, ...brush } : null,
      brush,
    };
  } catch {
    return null;
  }
}

/**
 * Whether the server no longer has the file of a source.
 * @param {Source} source
 */
export async function isGone({ upload, picture }) {
  try {
    await (upload ? api.getUpload(upload) : api.getPicture(picture ?? ''));
    return false;
  } catch (/** @type {any} */ problem) {
    return problem.status === 404;
  }
}

/**
 * What a request says of its source, in short.
 * @param {Record<string, any> | undefined} request
 * @returns {string[]}
 */
export function sourceFacts(request) {
  const { source } = request ?? {};
  if (!source) {
    return [];
  }
  const change = t('change_n', { n: Number((source.strength ?? usualStrength()).toFixed(2)) });
  const facts = [isExtended(source) && t('extended'), source.mask && t('only_short')];
  return [t('from_name', { x: source.name ?? t('from_other') }), change, ...facts.filter(Boolean)];
}

/** @returns {number} The strength that a source begins with. */
export function usualStrength() {
  return state.offer?.defaults?.strength ?? 0.6;
}

/** @param {Pick<Source, 'name' | 'width' | 'height'> & Partial<Source>} found */
function take(found) {
  const before = state.settings;
  const { strength, fit, brush } = before.source ?? {};
  const source = {
    strength: strength ?? usualStrength(), fit: fit ?? state.offer?.defaults?.fit ?? 'crop', brush: brush ?? { ...freshBrush }, mask: null,
  };
  change({ source: { ...source, ...found }, ...shapeOf(found.width, found.height) });
  draft();
  tell(t('draft_on'), undoBy(() => change(before)));
}

/**
 * The size to paint at that has a picture's proportions: that of a format where one is near.
 * @param {number} width
 * @param {number} height
 */
function shapeOf(width, height) {
  const scale = state.settings.scale || Math.round(Math.sqrt(state.settings.width * state.settings.height)) || 1024;
  const ratio = width / height;
  const near = formatOf(width, height, 0.02);
  if (near) {
    return sizeOf(near, scale);
  }
  const { leastSide = 64, mostSide = 2048 } = state.offer?.limits ?? {};
  // Both sides grow or shrink together, so that the proportions stay.
  const [longer, shorter] = [scale * Math.sqrt(Math.max(ratio, 1 / ratio)), scale / Math.sqrt(Math.max(ratio, 1 / ratio))];
  const by = Math.min(Math.max(1, leastSide / shorter), mostSide / longer);
  const side = (/** @type {number} */ wanted) => Math.min(mostSide, Math.max(leastSide, Math.round((wanted * by) / 8) * 8));
  return { width: side(scale * Math.sqrt(ratio)), height: side(scale / Math.sqrt(ratio)) };
}
