// Removes pictures at once and offers to take them back.
import * as api from './api.js';
import { sentenceOf } from './errors.js';
import { t } from './i18n.js';
import { say } from './say.js';
import { set } from './store.js';

/** @typedef {import('./store.js').Picture} Picture */

/**
 * Removes pictures, and says so with a way back.
 * @param {Picture[]} pictures
 * @param {{failed?: (left: Picture[]) => void, restored?: (picture: Picture) => void}} [hooks] What to do with pictures that could not
 * be removed, and with each that was taken back.
 */
export async function removePictures(pictures, hooks = {}) {
  /** @type {Picture[]} */
  const removed = [];
  /** @type {Picture[]} */
  const left = [];
  let problem;
  for (const picture of pictures) {
    try {
      await api.deletePicture(picture.id);
      removed.push(picture);
    } catch (error) {
      problem = error;
      left.push(picture);
    }
  }
  if (left.length > 0) {
    hooks.failed?.(left);
    tell(sentenceOf(problem));
  }
  if (removed.length > 0) {
    const text = removed.length === 1 ? t('deleted') : t('deleted_n', { n: removed.length });
    tell(text, { text: t('undo'), run: () => restore(removed, hooks) });
  }
}

/**
 * @param {Picture[]} pictures
 * @param {{restored?: (picture: Picture) => void}} hooks
 */
async function restore(pictures, hooks) {
  for (const picture of pictures) {
    try {
      const restored = await api.restorePicture(picture.id);
      hooks.restored?.(restored ?? picture);
    } catch (problem) {
      tell(sentenceOf(problem));
      return;
    }
  }
  say(pictures.length === 1 ? t('restored') : t('restored_n', { n: pictures.length }));
}

/**
 * @param {string} text
 * @param {{text: string, run: () => void}} [action]
 */
function tell(text, action) {
  set('toast', { text, action });
  say(text);
}
