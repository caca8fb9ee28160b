import { byId } from './dom.js';

const weighted = /^\(([\s\S]+):(-?[\d.]+)\)$/;

/** Begins emphasis: Ctrl with an arrow gives the selected words, or the word at the caret, more or less weight. */
export function start() {
  for (const id of ['vision', 'avoid']) {
    byId(id).addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const by = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
      if (by !== undefined && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        event.preventDefault();
        weigh(byId(id), by);
      }
    });
  }
}

/**
 * Changes the weight of the selection, as "(words:1.1)"; a weight of 1 needs no brackets.
 * @param {HTMLTextAreaElement} field
 * @param {number} by
 */
function weigh(field, by) {
  const [from, to] = rangeOf(field);
  const chosen = field.value.slice(from, to);
  if (chosen.trim() === '') {
    return;
  }
  const found = weighted.exec(chosen);
  const words = found ? found[1] : chosen;
  const weight = Math.min(2, Math.max(0, Number(found?.[2] ?? 1) + by));
  const text = Math.abs(weight - 1) < 0.001 ? words : `(${words}:${Number(weight.toFixed(2))})`;
  field.setSelectionRange(from, to);
  // As if it were typed, so that the browser's undo takes it back.
  if (!document.execCommand('insertText', false, text)) {
    field.setRangeText(text, from, to, 'end');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  field.setSelectionRange(from, from + text.length);
}

/**
 * The selection, with the brackets around it that give it its weight; without one, the word at the caret.
 * @param {HTMLTextAreaElement} field
 * @returns {[number, number]}
 */
function rangeOf(field) {
  const { value, selectionStart, selectionEnd } = field;
  let [from, to] = [selectionStart, selectionEnd];
  if (from === to) {
    while (from > 0 && /[^\s,()]/.test(value[from - 1])) {
      from--;
    }
    while (to < value.length && /[^\s,():]/.test(value[to])) {
      to++;
    }
  }
  const after = /^:-?[\d.]+\)/.exec(value.slice(to));
  return value[from - 1] === '(' && after ? [from - 1, to + after[0].length] : [from, to];
}
