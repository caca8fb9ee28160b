// What a job says of itself.
import { t } from './i18n.js';

/** @typedef {import('./store.js').Job} Job */

/**
 * Whether a job is painted or verified, or its model is opened.
 * @param {Job} job
 */
export const isRunning = (job) => job.state === 'opening' || job.state === 'painting';

/**
 * Whether an upscaler enlarges the picture between two passes.
 * @param {Job} job
 */
export const isEnlarging = (job) => job.phase === 'enlarging';

/**
 * The finished share of the present picture, 0 to 1. All tiles of an upscaler together count as one more step.
 * @param {Job} job
 */
export function shareOf({ step = 0, steps = 0, tile = 0, tiles = 0 }) {
  if (steps === 0) {
    return 0;
  }
  return tiles > 0 ? (step + tile / tiles) / (steps + 1) : step / steps;
}

/**
 * How far the present picture is, in words; empty where nothing is counted yet.
 * @param {Job} job
 */
export function countOf(job) {
  if (job.state === 'opening' || !(job.steps > 0)) {
    return '';
  }
  return isEnlarging(job) ? t('tile_of', { n: job.tile, m: job.tiles }) : t('step_of', { n: job.step, m: job.steps });
}

/**
 * The seconds that a job took; 0 where it is not known.
 * @param {Job | undefined} job
 */
export function secondsOf(job) {
  return job?.began && job.ended ? (Date.parse(job.ended) - Date.parse(job.began)) / 1000 : 0;
}
