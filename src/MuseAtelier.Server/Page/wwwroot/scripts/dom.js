import { icons } from './icons.js';

const svg = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. Properties that begin with "on" are listeners, `class` and names with a hyphen are attributes, `style` is an object of
 * CSS properties, and the rest are properties of the element. Children that are null or false are left out.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    assign(element, name, value);
  }
  element.append(...children.filter((each) => each !== null && each !== undefined && each !== false).map((each) => {
    return each instanceof Node ? each : String(each);
  }));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 */
function assign(element, name, value) {
  if (value === null || value === undefined) {
    return;
  }
  if (name.startsWith('on')) {
    element.addEventListener(name.slice(2).toLowerCase(), value);
  } else if (name === 'style') {
    for (const [property, set] of Object.entries(value)) {
      element.style.setProperty(property, String(set));
    }
  } else if (name === 'class' || name === 'for' || name === 'role' || name === 'lang' || name.includes('-')) {
    element.setAttribute(name, String(value));
  } else {
    /** @type {any} */ (element)[name] = value;
  }
}

/**
 * An icon of icons.js, hidden from screen readers: its button has the name.
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const image = document.createElementNS(svg, 'svg');
  image.setAttribute('viewBox', '0 0 20 20');
  image.setAttribute('class', 'icon');
  image.setAttribute('aria-hidden', 'true');
  image.setAttribute('focusable', 'false');
  for (const path of icons[name] ?? []) {
    const line = document.createElementNS(svg, 'path');
    line.setAttribute('d', path);
    image.append(line);
  }
  return image;
}

/** Puts the icons into the elements with `data-icon` that the page's HTML holds. */
export function placeIcons() {
  for (const element of document.querySelectorAll('[data-icon]')) {
    const name = element.getAttribute('data-icon') ?? '';
    element.removeAttribute('data-icon');
    element.prepend(icon(name));
  }
}

/**
 * Replaces what an element holds. The focus stays at the element with the same id, where there is one.
 * @param {HTMLElement} host
 * @param {...(Node | string)} children
 */
export function renew(host, ...children) {
  const focused = host.contains(document.activeElement) ? document.activeElement?.id : '';
  host.replaceChildren(...children);
  if (focused) {
    byId(focused)?.focus();
  }
}

/**
 * The element with an id, which the page's HTML holds.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * A function that runs once, some time after the last call.
 * @template {any[]} A
 * @param {number} milliseconds
 * @param {(...values: A) => void} run
 * @returns {(...values: A) => void}
 */
export function settled(milliseconds, run) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => run(...values), milliseconds);
  };
}
