import { isRunning } from './jobs.js';
import { recall, keep } from './storage.js';

/**
 * @typedef {object} Settings The form on the desk.
 * @property {string} prompt
 * @property {string} negativePrompt
 * @property {number} width
 * @property {number} height
 * @property {number} scale The side of a square picture of this scale, in px.
 * @property {number | null} steps Null means the model's own.
 * @property {number | null} guidance
 * @property {string | null} sampler
 * @property {string | null} schedule
 * @property {number} count
 * @property {string} frame
 * @property {string} seed
 * @property {boolean} isSeedLocked
 * @property {boolean} isSeedFresh Whether the seed was rolled and not yet painted with.
 * @property {string | null} model
 * @property {import('./source.js').Source | null} source The picture that is painted from.
 * @property {Hires | null} hires The second pass at a higher resolution.
 * @property {import('./manners.js').Manner[]} loras The manners that are painted in.
 * @property {Record<string, unknown>} others Members of a recalled request that have no control on the desk.
 */

/**
 * @typedef {object} Hires A second pass, as a request has it; members that are absent are as in the first pass.
 * @property {number} scale
 * @property {number} strength
 * @property {number} [steps]
 * @property {string} upscaler
 * @property {string} [prompt]
 * @property {string} [negativePrompt]
 * @property {string} [sampler]
 * @property {string} [schedule]
 * @property {number} [guidanceScale]
 */

/** @typedef {Record<string, any>} Picture A picture of docs/http-api.md. */
/** @typedef {Record<string, any>} Job A job of docs/http-api.md. */

/** @type {Settings} */
const freshSettings = Object.freeze({
  prompt: '',
  negativePrompt: '',
  width: 0,
  height: 0,
  scale: 0,
  steps: null,
  guidance: null,
  sampler: null,
  schedule: null,
  count: 1,
  frame: 'gilded',
  seed: '42',
  isSeedLocked: false,
  isSeedFresh: true,
  model: null,
  source: null,
  hires: null,
  loras: [],
  others: {},
});

/**
 * What the page knows. Change it only by `set`, so that all that shows it hears of it.
 *
 * - `connection`: 'on', 'off' (no events for 3 s), 'back' (for 4 s after it returned)
 * - `queue`: the ids of the waiting jobs in their order
 * - `pictures`: the newest pictures, newest first (the bench)
 * - `current`: the picture on the wall, or null; `watching`: whether the easel is shown while a job runs
 * - `isDrafting`: whether the picture that is painted from stands on the easel, with the brush for its mask
 * - `view`: 'studio' or 'gallery'; `large`: the id of the picture that is seen large, or null
 * - `added`: the picture that was painted or restored last; `removed`: the id of the one that was removed last
 * - `verified`: outcomes of this sitting by picture id: `{state: 'running' | 'done' | 'failed', holds?, divergesAtStep?}`
 * - `toast`: `{text, action?: {text, run}}`; `plan`: the answer for the settings, or null
 * - `loras`, `imprints`: what the server's folders of LoRAs and embeddings hold; null until it is known
 * - `drawerPage`: what the drawer holds
 * - `problem`: why the last request was refused (an ApiProblem), or `{kind: 'nothing'}` when nothing was written; null otherwise
 */
export const state = {
  /** @type {Record<string, any> | null} */ server: null,
  /** @type {Record<string, any>[]} */ models: [],
  device: '',
  /** @type {Record<string, any>[] | null} */ loras: null,
  /** @type {Record<string, any>[] | null} */ imprints: null,
  sanctum: { held: 0, budget: 0 },
  /** @type {Record<string, any> | null} */ offer: null,
  /** @type {Job[]} */ jobs: [],
  /** @type {string[]} */ queue: [],
  /** @type {Picture[]} */ pictures: [],
  galleryCount: 0,
  /** @type {Picture | null} */ current: null,
  watching: true,
  isDrafting: false,
  /** @type {'studio' | 'gallery'} */ view: 'studio',
  /** @type {string | null} */ large: null,
  /** @type {Picture | null} */ added: null,
  /** @type {string | null} */ removed: null,
  /** @type {Record<string, any>} */ verified: {},
  /** @type {Record<string, any> | null} */ toast: null,
  /** @type {Record<string, any> | null} */ plan: null,
  /** @type {Record<string, any> | null} */ problem: null,
  isDrawerOpen: recall('drawer') === true,
  /** @type {'craft' | 'manner'} */ drawerPage: 'craft',
  /** @type {'on' | 'off' | 'back'} */ connection: 'on',
  /** @type {Settings} */ settings: { ...freshSettings, ...recall('settings') },
};

/** @type {Map<string, Set<(value: any) => void>>} */
const listeners = new Map();

/**
 * Calls a function after each change of a key.
 * @param {keyof typeof state | string} key
 * @param {(value: any) => void} listener
 * @returns {() => void} Ends it.
 */
export function on(key, listener) {
  const those = listeners.get(key) ?? new Set();
  listeners.set(key, those.add(listener));
  return () => those.delete(listener);
}

/**
 * Changes a key. A listener that throws does not keep the others from being called.
 * @param {keyof typeof state} key
 * @param {any} value
 */
export function set(key, value) {
  /** @type {any} */ (state)[key] = value;
  for (const listener of [...(listeners.get(key) ?? [])]) {
    try {
      listener(value);
    } catch (problem) {
      console.error(problem);
    }
  }
}

/**
 * Changes some settings, and keeps all of them for the next visit.
 * @param {Partial<Settings>} some
 */
export function change(some) {
  const settings = { ...state.settings, ...some };
  keep('settings', settings);
  set('settings', settings);
}

/** @returns {Job | null} The job that is painted or verified, or whose model is opened. */
export function running() {
  return state.jobs.find(isRunning) ?? null;
}

/** @returns {Job[]} The waiting jobs in their order. */
export function waiting() {
  return state.queue.map((id) => state.jobs.find((each) => each.id === id)).filter((each) => each !== undefined);
}
