import { getPicture } from './api.js';
import { isRunning } from './jobs.js';
import { recall, keep } from './storage.js';
import { state, set, change, on } from './store.js';

const waits = [1000, 2000, 4000, 5000];
const patience = 3000;
const benchLength = 60;

/** @type {Record<string, (data: any) => void>} */
const readers = {
  state: takeState,
  job: takeJob,
  queue: (data) => set('queue', data.ids),
  preview: ({ job, number }) => takeJob({ ...find(job), id: job, preview: number }),
  picture: (data) => {
    takePicture(data);
    set('added', data);
  },
  removed: ({ id }) => {
    dropPicture(id);
    set('removed', id);
  },
  sanctum: (data) => set('sanctum', data),
  models: (data) => {
    set('device', data.device);
    set('models', data.models);
  },
};

let failures = 0;
let darkness = 0;

/** Connects, and connects again whenever the server was gone. */
export function start() {
  on('current', (picture) => keep('current', picture?.id ?? null));
  connect();
}

function connect() {
  const source = new EventSource('/api/v1/events');
  for (const [name, read] of Object.entries(readers)) {
    source.addEventListener(name, (event) => {
      isBack();
      read(JSON.parse(event.data));
    });
  }
  source.onopen = isBack;
  source.onerror = () => {
    source.close();
    darkness ||= window.setTimeout(() => set('connection', 'off'), patience);
    setTimeout(connect, waits[Math.min(failures, waits.length - 1)]);
    failures++;
  };
}

function isBack() {
  failures = 0;
  clearTimeout(darkness);
  darkness = 0;
  if (state.connection === 'off') {
    set('connection', 'back');
    setTimeout(() => {
      if (state.connection === 'back') {
        set('connection', 'on');
      }
    }, 4000);
  }
}

/** @param {any} data */
function takeState(data) {
  const isFirst = state.server === null;
  set('offer', data.offer);
  if (state.settings.width === 0) {
    const { width, height } = data.offer.defaults;
    change({ width, height, scale: Math.round(Math.sqrt(width * height)) });
  }
  set('server', data.server ?? {});
  set('device', data.device ?? '');
  set('models', data.models ?? []);
  set('sanctum', data.sanctum ?? state.sanctum);
  set('galleryCount', data.galleryCount);
  set('pictures', data.recent);
  if (isFirst) {
    set('current', data.recent.find((/** @type {any} */ each) => each.id === recall('current')) ?? data.recent[0] ?? null);
  }
  const before = state.jobs;
  set('queue', data.jobs.filter((/** @type {any} */ each) => each.state === 'waiting').map((/** @type {any} */ each) => each.id));
  set('jobs', data.jobs);
  for (const job of data.jobs) {
    // What ended while the server could not be heard.
    if (before.some((each) => each.id === job.id && isRunning(each)) && !isRunning(job)) {
      ended(job);
    }
  }
}

/** @param {string} id */
const find = (id) => state.jobs.find((each) => each.id === id) ?? {};

/**
 * Puts a job into the store in place of what was known of it.
 * @param {any} job
 */
export function takeJob(job) {
  if (!job.state) {
    return;
  }
  const before = state.jobs.find((each) => each.id === job.id);
  const next = before ? state.jobs.map((each) => (each.id === job.id ? job : each)) : [job, ...state.jobs];
  if (job.state === 'waiting' && !state.queue.includes(job.id)) {
    set('queue', [...state.queue, job.id]);
  } else if (job.state !== 'waiting' && state.queue.includes(job.id)) {
    set('queue', state.queue.filter((each) => each !== job.id));
  }
  set('jobs', pruned(next));
  const hasEnded = job.state === 'done' || job.state === 'stopped' || job.state === 'failed';
  if (hasEnded && before && before.state !== job.state) {
    ended(job);
  }
}

/**
 * The jobs without those that ended long ago; the newest come first.
 * @param {any[]} jobs
 */
function pruned(jobs) {
  let kept = 0;
  return jobs.filter((each) => isRunning(each) || each.state === 'waiting' || ++kept <= 60);
}

/** @param {any} job */
function ended(job) {
  if (job.kind === 'verify') {
    verdict(job);
  } else if (job.state === 'done' && job.pictures.length > 0 && state.watching) {
    hang(job.pictures.at(-1));
  }
}

/** @param {any} job */
function verdict(job) {
  if (!state.verified[job.picture]) {
    return;
  }
  const outcome = job.state === 'done' ? { state: 'done', ...job.verification } : { state: job.state, problem: job.problem };
  set('verified', { ...state.verified, [job.picture]: outcome });
}

/**
 * Hangs a picture on the wall.
 * @param {string} id
 */
export async function hang(id) {
  try {
    set('current', state.pictures.find((each) => each.id === id) ?? await getPicture(id));
  } catch {
    // It was removed in the meantime; the wall stays as it is.
  }
}

/** @param {any} picture */
function takePicture(picture) {
  const isKnown = state.pictures.some((each) => each.id === picture.id);
  const others = state.pictures.filter((each) => each.id !== picture.id);
  const next = [...others, picture].sort((a, b) => (a.painted < b.painted ? 1 : a.painted > b.painted ? -1 : 0));
  set('pictures', next.slice(0, benchLength));
  if (!isKnown) {
    set('galleryCount', state.galleryCount + 1);
  }
}

/** @param {string} id */
function dropPicture(id) {
  const place = state.pictures.findIndex((each) => each.id === id);
  const next = state.pictures.filter((each) => each.id !== id);
  set('pictures', next);
  set('galleryCount', Math.max(0, state.galleryCount - 1));
  if (state.current?.id === id) {
    set('current', next[Math.min(Math.max(place, 0), next.length - 1)] ?? null);
  }
}
