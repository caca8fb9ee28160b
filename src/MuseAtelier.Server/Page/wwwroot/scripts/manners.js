// The manners on the desk: LoRAs by name with their strengths. And the embeddings that words may name.
import * as api from './api.js';
import { endsInComment, withoutComments } from './comments.js';
import { amount, t } from './i18n.js';
import './manner-texts.js';
import { say } from './say.js';
import { change, set, state } from './store.js';

/**
 * @typedef {object} Manner A LoRA on the desk.
 * @property {string} name
 * @property {number} strength
 * @property {number | null} textStrength Null means that of the UNet.
 */

/** @typedef {Record<string, any>} Listed A LoRA or an embedding of docs/http-api.md. */

export const hasManners = () => state.offer?.features?.loras === true;
export const hasImprints = () => state.offer?.features?.embeddings === true;

/**
 * Asks the server for what its folders hold.
 * @param {boolean} [isAnew] Whether it lists the folders again at once.
 */
export async function load(isAnew = false) {
  const asked = [
    hasManners() && api.getLoras(isAnew).then(({ loras }) => set('loras', loras)),
    hasImprints() && api.getEmbeddings(isAnew).then(({ embeddings }) => set('imprints', embeddings)),
  ];
  // What cannot be listed now stays as it was known.
  await Promise.allSettled(asked.filter(Boolean));
}

/** @param {string} name */
export const find = (name) => (state.loras ?? []).find((/** @type {Listed} */ each) => each.name === name);

/**
 * Whether the folders are known and do not have a manner.
 * @param {string} name
 */
export const isMissing = (name) => state.offer !== null && (!hasManners() || (state.loras !== null && !find(name)));

/** @param {string} name */
export const isInUse = (name) => state.settings.loras.some((each) => each.name === name);

/**
 * The manners as a request has them.
 * @param {Manner[]} manners
 */
export function wireOf(manners) {
  return manners.length === 0 ? undefined : manners.map(({ name, strength, textStrength }) => {
    return textStrength === null ? { name, strength } : { name, strength, textStrength };
  });
}

/**
 * The manners of a request.
 * @param {Record<string, any>} request
 * @returns {Manner[]}
 */
export function mannersOf(request) {
  return (request.loras ?? []).map((/** @type {any} */ { name, strength = 1, textStrength = null }) => ({ name, strength, textStrength }));
}

/**
 * Adds a manner with its full strength.
 * @param {string} name
 */
export function take(name) {
  if (!isInUse(name)) {
    change({ loras: [...state.settings.loras, { name, strength: 1, textStrength: null }] });
    say(t('manner_taken', { x: name }));
  }
}

/** @param {string} name */
export function leave(name) {
  change({ loras: state.settings.loras.filter((each) => each.name !== name) });
  say(t('manner_left', { x: name }));
}

/**
 * @param {string} name
 * @param {Partial<Manner>} some
 */
export function alter(name, some) {
  change({ loras: state.settings.loras.map((each) => (each.name === name ? { ...each, ...some } : each)) });
}

/**
 * What a request says of its manners, in short.
 * @param {Record<string, any> | undefined} request
 * @returns {string[]}
 */
export const mannerFacts = (request) => mannersOf(request ?? {}).map(({ name, strength }) => `${name} ${short(strength)}`);

/** @param {number} strength */
export const short = (strength) => String(Number(strength.toFixed(2)));

/**
 * What a file is, in short.
 * @param {Listed} lora
 */
export function factsOf({ families, leastRank, mostRank, trainedOn, bytes }) {
  const ranks = leastRank === mostRank ? mostRank : `${leastRank}–${mostRank}`;
  const base = trainedOn === 'sdxl_base_v1-0' ? 'SDXL 1.0' : trainedOn;
  const facts = [families?.join(' + '), mostRank && t('rank_n', { n: ranks }), base, amount(bytes)].filter(Boolean);
  // A number and its unit stay on one line.
  return facts.map((each) => each.replaceAll(' ', '\u00a0')).join(' · ');
}

/**
 * The name that people know a manner by.
 * @param {string} name
 */
export const titleOf = (name) => find(name)?.title ?? name;

/**
 * Whether words are in the Vision.
 * @param {string} words
 */
export const areWritten = (words) => {
  const { prompt, others } = state.settings;
  return withoutComments(prompt, others.syntax).toLowerCase().includes(words.toLowerCase());
};

/**
 * Writes words behind those that are there.
 * @param {string} words
 * @param {'prompt' | 'negativePrompt'} [into]
 */
export function write(words, into = 'prompt') {
  const before = state.settings[into].trimEnd();
  const isCommented = endsInComment(before, state.settings.others.syntax);
  const gap = before === '' ? '' : isCommented ? '\n' : before.endsWith(',') || before.endsWith('，') ? ' ' : ', ';
  change({ [into]: `${before}${gap}${words}` });
  say(t('words_in', { x: words }));
}

/**
 * How words name an embedding.
 * @param {string} name
 */
export const wordOf = (name) => (state.settings.others.syntax === 'comfy' ? `embedding:${name}` : name);
