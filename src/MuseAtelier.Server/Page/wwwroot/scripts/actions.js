import * as api from './api.js';
import { byId } from './dom.js';
import { sentenceOf } from './errors.js';
import { takeJob } from './events.js';
import { t } from './i18n.js';
import { isMissing, mannersOf, wireOf as mannersWire } from './manners.js';
import { say } from './say.js';
import { prepareSource, recallSource, wireOf } from './source.js';
import { state, set, change, running } from './store.js';
import { tell, undoBy } from './toast.js';

/** @typedef {import('./store.js').Settings} Settings */
/** @typedef {import('./store.js').Picture} Picture */
/** @typedef {import('./store.js').Job} Job */

/** Members of a request that have controls on the desk; what else a record holds is kept in `settings.others`. */
const onDesk = new Set([
  'prompt', 'negativePrompt', 'width', 'height', 'steps', 'guidance', 'sampler', 'schedule', 'seed', 'count', 'frame', 'model', 'basis',
  'source', 'hires', 'loras',
]);

/** Members that say how the file is written, not what is painted. */
const ofFile = new Set(['format', 'quality']);

/** A new seed, of at most seven digits: few enough to be read aloud and shown beside the other settings. */
export function newSeed() {
  return String(crypto.getRandomValues(new Uint32Array(1))[0] % 10_000_000);
}

/**
 * The request that the settings stand for. Members that the painter left alone are left out, so that the model's own hold.
 * @param {Settings} settings
 * @returns {Record<string, unknown>}
 */
export function requestOf(settings) {
  const { prompt, negativePrompt, width, height, steps, guidance, sampler, schedule, frame, seed, count, model, others } = settings;
  const request = {
    ...others, prompt, negativePrompt, width, height, steps, guidance, sampler, schedule, frame, seed, count, model,
    source: wireOf(settings.source), hires: settings.hires, loras: mannersWire(settings.loras),
  };
  const isSize = (/** @type {string} */ name) => name === 'width' || name === 'height';
  return Object.fromEntries(Object.entries(request).filter(([name, value]) => {
    return value !== null && value !== undefined && !(isSize(name) && value === 0);
  }));
}

/**
 * Paints what the desk says, or puts it into the queue. An empty Vision gets the focus instead.
 * @param {Settings} [settings]
 * @returns {Promise<Job | null>} Null if it was not accepted.
 */
export async function paint(settings = state.settings) {
  if (state.connection === 'off') {
    say(t('paint_off'));
    return null;
  }
  if (settings.prompt.trim() === '') {
    set('problem', { kind: 'nothing' });
    byId('vision').focus();
    say(t('nothing'));
    return null;
  }
  const seed = settings.isSeedLocked || settings.isSeedFresh ? settings.seed : newSeed();
  if (settings === state.settings || settings.seed !== seed) {
    change({ seed, isSeedFresh: false });
  }
  try {
    await prepareSource();
  } catch (problem) {
    set('problem', problem);
    return null;
  }
  const { source } = state.settings;
  return paintRequest(requestOf({ ...settings, seed, source }));
}

/**
 * Paints a request as it is.
 * @param {Record<string, unknown>} request
 */
export async function paintRequest(request) {
  set('problem', null);
  try {
    const wasBusy = running() !== null;
    const job = await api.postJob(request);
    takeJob(job);
    if (wasBusy) {
      say(t('live_q', { n: (job.place ?? Math.max(0, state.queue.indexOf(job.id))) + 1 }));
    } else {
      set('watching', true);
    }
    set('isDrafting', false);
    return job;
  } catch (problem) {
    set('problem', problem);
    return null;
  }
}

/**
 * Paints a picture's request with the next seed.
 * @param {Picture} picture
 */
export function again(picture) {
  const seed = nextSeed(picture);
  if (picture.request?.prompt === state.settings.prompt) {
    change({ seed, isSeedFresh: false });
  }
  return paintRequest({ prompt: picture.request?.prompt ?? '', basis: picture.id, seed });
}

/**
 * The seed that follows a picture's.
 * @param {Picture} picture
 */
export function nextSeed(picture) {
  try {
    return String(BigInt(picture.request?.seed ?? 0) + 1n);
  } catch {
    return newSeed();
  }
}

/**
 * Puts a picture's settings on the desk; the toast takes them back.
 * @param {Picture} picture
 */
export function recall(picture) {
  takeRequest(picture.request ?? {});
}

/**
 * Puts a request on the desk; the toast takes it back.
 * @param {Record<string, any>} request
 */
export function takeRequest(request) {
  const before = state.settings;
  const others = Object.fromEntries(Object.entries(request).filter(([name, value]) => {
    return !onDesk.has(name) && !ofFile.has(name) && value !== null && !isUsual(name, value);
  }));
  change({
    prompt: request.prompt ?? '',
    negativePrompt: request.negativePrompt ?? '',
    width: request.width ?? before.width,
    height: request.height ?? before.height,
    steps: request.steps ?? before.steps,
    guidance: request.guidance ?? before.guidance,
    sampler: request.sampler ?? before.sampler,
    schedule: request.schedule ?? before.schedule,
    frame: request.frame ?? before.frame,
    seed: request.seed === undefined || request.seed === null ? before.seed : String(request.seed),
    isSeedLocked: request.seed !== undefined && request.seed !== null,
    count: 1,
    source: null,
    hires: request.hires ?? null,
    loras: mannersOf(request),
    others,
  });
  if (request.source) {
    takeSource(request.source);
  }
  const lost = state.settings.loras.map((each) => each.name).filter(isMissing);
  const told = lost.length > 0 ? t('manner_lost', { x: lost.join(', ') }) : t('recalled');
  tell(told, undoBy(() => change(before)));
}

/**
 * Puts the source of a request on the desk where the server still keeps it, and says so where it does not.
 * @param {Record<string, any>} wire
 */
async function takeSource(wire) {
  const before = state.settings;
  const source = await recallSource(wire);
  if (source === null) {
    tell(t('draft_lost'), state.toast?.action);
  } else if (state.settings.source === null && state.settings.seed === before.seed) {
    change({ source });
  }
}

/**
 * Whether a member has the value that it has without being named.
 * @param {string} name
 * @param {unknown} value
 */
function isUsual(name, value) {
  const usual = { clipSkip: 2, variationStrength: 0, guidanceRescale: 0, noise: 'diffusers', syntax: state.offer?.syntaxes?.[0] };
  return value === (state.offer?.defaults?.[name] ?? /** @type {Record<string, unknown>} */ (usual)[name]);
}

/**
 * Saves the picture's file.
 * @param {Picture} picture
 */
export function download(picture) {
  const link = document.createElement('a');
  link.href = `${picture.file}?download`;
  link.download = '';
  link.click();
}

/**
 * Copies the settings as AUTOMATIC1111's text.
 * @param {Picture} picture
 * @returns {Promise<boolean>} Whether the clipboard has it.
 */
export async function copyText(picture) {
  try {
    const { text } = await api.getPicture(picture.id);
    await navigator.clipboard.writeText(text ?? '');
    say(t('copied'));
    return true;
  } catch (problem) {
    tell(sentenceOf(problem));
    return false;
  }
}

/**
 * Paints the picture again and compares. `state.verified` has the outcome.
 * @param {Picture} picture
 */
export async function verify(picture) {
  if (state.verified[picture.id]?.state === 'running') {
    return;
  }
  set('verified', { ...state.verified, [picture.id]: { state: 'running' } });
  try {
    const job = await api.verifyPicture(picture.id);
    set('verified', { ...state.verified, [picture.id]: { state: 'running', job: job.id } });
    takeJob(job);
  } catch (problem) {
    set('verified', { ...state.verified, [picture.id]: { state: 'failed', problem } });
  }
}

/**
 * Stops a running job within a step, or removes a waiting one.
 * @param {Job} job
 */
export async function stop(job) {
  try {
    takeJob(await api.deleteJob(job.id));
  } catch (problem) {
    tell(sentenceOf(problem));
  }
}
