// On the desk: the button that opens the manners, and those in use.
import { openManners } from './drawer.js';
import { byId, el, icon } from './dom.js';
import { languageOf, onLanguage, t } from './i18n.js';
import { hasImprints, hasManners, isMissing, leave, load, short, titleOf } from './manners.js';
import { addKey } from './shortcuts.js';
import { on, state } from './store.js';

/** @type {Record<string, any>} */
const parts = {};

/** Begins the button and the chips. */
export function start() {
  parts.button = el('div', { class: 'manner-host' });
  parts.chips = el('ul', { id: 'manners', class: 'manner-chips' });
  byId('additions').append(parts.button);
  byId('additions').after(parts.chips);
  for (const key of ['settings', 'offer', 'loras']) {
    on(key, show);
  }
  on('server', () => load());
  on('problem', (problem) => problem?.kind === 'no-such-lora' && load(true));
  onLanguage(show);
  const isOffered = () => state.view === 'studio' && (hasManners() || hasImprints());
  addKey({ key: 'm', does: 'manner', when: isOffered, run: () => openManners() });
  show();
}

function show() {
  const isOffered = hasManners() || hasImprints();
  const used = state.settings.loras.map((each) => [titleOf(each.name), each.strength, isMissing(each.name)]);
  const key = JSON.stringify([isOffered, used, t('manner')]);
  if (parts.chips.dataset.key === key) {
    return;
  }
  parts.chips.dataset.key = key;
  const focused = document.activeElement?.id ?? '';
  parts.button.replaceChildren(...(isOffered ? [opener()] : []));
  parts.chips.replaceChildren(...state.settings.loras.map(chip));
  parts.chips.setAttribute('aria-label', t('manner'));
  parts.chips.hidden = used.length === 0;
  if (focused.startsWith('manner-open') || focused.startsWith('manner-chip')) {
    (byId(focused) ?? byId('manner-open'))?.focus();
  }
}

function opener() {
  return el('button', {
    id: 'manner-open', class: 'addition', type: 'button', title: t('words_manner'), onClick: () => openManners(),
  }, icon('feather'), el('span', null, t('manner')));
}

/**
 * @param {import('./manners.js').Manner} manner
 * @param {number} index
 */
function chip({ name, strength }, index) {
  const lacks = isMissing(name);
  const title = titleOf(name);
  return el('li', { class: 'manner-chip' },
    el('button', {
      id: `manner-chip-${index}`, type: 'button', class: 'manner-chip-name',
      onClick: () => openManners(index),
      onKeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'Delete') {
          // Elsewhere the key removes the picture that is shown.
          event.preventDefault();
          leave(name);
        }
      },
    },
    el('span', { class: 'unseen' }, t('manner_open', { x: title, n: short(strength) })),
    el('em', { dir: 'auto', lang: languageOf(title), 'aria-hidden': 'true' }, title),
    el('span', { 'aria-hidden': 'true' }, short(strength)),
    lacks && el('span', { class: 'manner-lacks' }, t('manner_missing'))),
    el('button', {
      class: 'manner-chip-drop', type: 'button', title: t('manner_drop', { x: title }), 'aria-label': t('manner_drop', { x: title }),
      onClick: () => leave(name),
    }, icon('close')));
}
