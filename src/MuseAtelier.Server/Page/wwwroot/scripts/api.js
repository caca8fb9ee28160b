/** A request that the server refused, or that did not reach it (`kind` is then 'unreachable'). */
export class ApiProblem extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   * @param {string} [field]
   * @param {number} [status]
   */
  constructor(kind, message, field, status = 0) {
    super(message);
    this.kind = kind;
    this.field = field;
    this.status = status;
  }
}

const root = '/api/v1';

/**
 * @param {string} method
 * @param {string} path
 * @param {{json?: unknown, body?: BodyInit, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
async function send(method, path, { json, body, signal } = {}) {
  const headers = json === undefined ? undefined : { 'content-type': 'application/json' };
  let answer;
  try {
    answer = await fetch(root + path, { method, headers, body: json === undefined ? body : JSON.stringify(json), signal });
  } catch (problem) {
    if (signal?.aborted) {
      throw problem;
    }
    throw new ApiProblem('unreachable', String(problem));
  }
  const text = await answer.text();
  const value = parse(text);
  if (!answer.ok) {
    const problem = value?.problem ?? {};
    const message = problem.message ?? `${answer.status} ${text.slice(0, 200)}`;
    throw new ApiProblem(problem.kind ?? 'failed', message, problem.field, answer.status);
  }
  return value;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} id */
const safe = (id) => encodeURIComponent(id);

/** @param {Record<string, unknown>} request */
export const postJob = (request) => send('POST', '/jobs', { json: request });
/** @param {string} id */
export const deleteJob = (id) => send('DELETE', `/jobs/${safe(id)}`);
export const deleteJobs = () => send('DELETE', '/jobs');
/**
 * @param {string} id
 * @param {number} place
 */
export const moveJob = (id, place) => send('POST', `/jobs/${safe(id)}/move`, { json: { place } });
/**
 * @param {string} id
 * @param {number} number
 */
export const previewUrl = (id, number) => `${root}/jobs/${safe(id)}/preview?n=${number}`;
/**
 * @param {Record<string, unknown>} request
 * @param {AbortSignal} [signal]
 */
export const postPlan = (request, signal) => send('POST', '/plan', { json: request, signal });
/**
 * @param {Record<string, unknown>} request
 * @param {AbortSignal} [signal]
 */
export const postTokens = (request, signal) => send('POST', '/tokens', { json: request, signal });

/**
 * @param {{q?: string, cursor?: string, limit?: number}} query
 * @param {AbortSignal} [signal]
 */
export function getPictures({ q = '', cursor = '', limit = 60 } = {}, signal) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (q) {
    query.set('q', q);
  }
  if (cursor) {
    query.set('cursor', cursor);
  }
  return send('GET', `/pictures?${query}`, { signal });
}

/** @param {string} id */
export const getPicture = (id) => send('GET', `/pictures/${safe(id)}`);
/** @param {string} id */
export const deletePicture = (id) => send('DELETE', `/pictures/${safe(id)}`);
/** @param {string} id */
export const restorePicture = (id) => send('POST', `/pictures/${safe(id)}/restore`);
/** @param {string} id */
export const verifyPicture = (id) => send('POST', `/pictures/${safe(id)}/verify`);
/**
 * Reads the record of a picture file. Its bytes say what it is: the type that a browser guesses from the name may be one that the server
 * refuses.
 * @param {Blob} file
 */
export const readRecord = (file) => send('POST', '/records', { body: file.slice(0, file.size, 'application/octet-stream') });
/**
 * Has the server keep a picture for requests.
 * @param {Blob} file
 * @param {string} name
 */
export function postUpload(file, name) {
  const body = file.slice(0, file.size, 'application/octet-stream');
  return send('POST', `/uploads?${new URLSearchParams({ name: name.slice(0, 200) })}`, { body });
}

/** @param {string} id */
export const getUpload = (id) => send('GET', `/uploads/${safe(id)}`);
/** @param {string} id */
export const uploadUrl = (id) => `${root}/uploads/${safe(id)}/file`;
/**
 * What the folders of LoRAs hold.
 * @param {boolean} isAnew Whether they are listed again at once.
 */
export const getLoras = (isAnew) => (isAnew ? send('POST', '/loras/refresh') : send('GET', '/loras'));
/**
 * What the folders of embeddings hold.
 * @param {boolean} isAnew Whether they are listed again at once.
 */
export const getEmbeddings = (isAnew) => (isAnew ? send('POST', '/embeddings/refresh') : send('GET', '/embeddings'));
export const getChecklist = () => send('GET', '/checklist');
