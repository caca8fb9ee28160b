/** How long a press is, in ms. */
const length = 500;

/** A finger that moves further than this in one event scrolls, in px. */
const slack = 6;

/**
 * Calls a function when a finger or a pen stays on an element. The click that follows is swallowed.
 * @param {HTMLElement} host
 * @param {(element: EventTarget | null) => boolean} pressed Says whether the press meant something.
 */
export function onLongPress(host, pressed) {
  /** @type {number | undefined} */
  let timer;
  let isHandled = false;
  const end = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  host.addEventListener('pointerdown', (event) => {
    isHandled = false;
    end();
    if (event.pointerType !== 'mouse') {
      timer = window.setTimeout(() => {
        end();
        isHandled = pressed(event.target);
      }, length);
    }
  });
  host.addEventListener('pointerup', end);
  host.addEventListener('pointercancel', end);
  host.addEventListener('pointermove', (event) => {
    if (Math.hypot(event.movementX, event.movementY) > slack) {
      end();
    }
  });
  host.addEventListener('contextmenu', (event) => {
    // Some browsers open their menu before the press is long enough.
    if (timer !== undefined) {
      end();
      isHandled = pressed(event.target);
    }
    if (isHandled) {
      event.preventDefault();
    }
  });
  host.addEventListener('click', (event) => {
    if (isHandled) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    isHandled = false;
  }, true);
}
