// Removes pictures at once and offers to take them back.
import * as api from './api.js';
import { sentenceOf } from './errors.js';
import { t } from './i18n.js';
import { say } from './say.js';
import { tell, undoBy } from './toast.js';

/** @typedef {import('./store.js').Picture} Picture */

/**
 * Removes pictures, and says so with a way back.
 * @param {Picture[]} pictures
 * @param {{failed?: (left: Picture[]) => void, restored?: (picture: Picture) => void}} [hooks] What to do with pictures that could not
 * be removed, and with each that was taken back.
 */
export async function removePictures(pictures, hooks = {}) {
  let isUndone = false;
  const removal = removeEach(pictures, () => isUndone);
  // Undoing is offered at once: what is not removed by then stays, and the rest is taken back.
  const undo = async () => {
    isUndone = true;
    const { removed } = await removal;
    if (removed.length > 0) {
      restore(removed, hooks);
    }
  };
  tell(removedText(pictures.length), undoBy(undo));
  const { removed, left, problem } = await removal;
  if (left.length > 0) {
    hooks.failed?.(left);
  }
  if (problem !== undefined) {
    const action = removed.length > 0 && !isUndone ? undoBy(() => restore(removed, hooks)) : undefined;
    tell(sentenceOf(problem), action);
  }
}

/** @param {number} count */
const removedText = (count) => (count === 1 ? t('deleted') : t('deleted_n', { n: count }));

/**
 * @param {Picture[]} pictures
 * @param {() => boolean} isUndone Whether the rest is to stay.
 */
async function removeEach(pictures, isUndone) {
  /** @type {{removed: Picture[], left: Picture[], problem?: unknown}} */
  const outcome = { removed: [], left: [] };
  for (const picture of pictures) {
    if (isUndone()) {
      outcome.left.push(picture);
      continue;
    }
    try {
      await api.deletePicture(picture.id);
      outcome.removed.push(picture);
    } catch (error) {
      outcome.problem = error;
      outcome.left.push(picture);
    }
  }
  return outcome;
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
