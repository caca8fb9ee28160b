import { rehostToast } from './toast.js';

/**
 * Opens a dialog over the page. It holds the focus and the keys; closing it gives the focus back to what had it.
 * @param {HTMLDialogElement} dialog
 * @param {() => void} [closed] Runs after it was closed. The focus is given back unless this moves it.
 */
export function openDialog(dialog, closed) {
  const opener = document.activeElement;
  dialog.addEventListener('keydown', holdKeys);
  dialog.addEventListener('close', () => {
    rehostToast();
    if (closed !== undefined) {
      closed();
    }
    if (opener instanceof HTMLElement && opener.isConnected && document.activeElement === document.body) {
      opener.focus({ preventScroll: true });
    }
  }, { once: true });
  dialog.showModal();
  rehostToast();
}

/**
 * Keeps shortcuts of the page behind from running; only undoing is possible from everywhere.
 * @param {KeyboardEvent} event
 */
function holdKeys(event) {
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z';
  if (!isUndo && /** @type {HTMLDialogElement} */ (event.currentTarget).open) {
    event.stopPropagation();
  }
}
