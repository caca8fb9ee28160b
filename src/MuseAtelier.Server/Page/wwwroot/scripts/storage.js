const prefix = 'muse.';

/**
 * Reads what an earlier visit kept.
 * @param {string} name
 * @returns {any} Null if there is nothing, or the browser keeps nothing.
 */
export function recall(name) {
  try {
    const text = localStorage.getItem(prefix + name);
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Keeps a value for later visits.
 * @param {string} name
 * @param {unknown} value
 */
export function keep(name, value) {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing is still good to paint with.
  }
}
