// What stands on the canvas of a first visit.
import { paint } from './actions.js';
import { el } from './dom.js';
import { t } from './i18n.js';
import { change } from './store.js';

/** The examples. Their prompts are in English, the language that the models read. */
const examples = [
  { key: 'ex1', prompt: 'oil painting by Van Gogh, a starry night over a quiet Renaissance city, glowing yellow stars' },
  { key: 'ex2', prompt: 'oil painting, a wheat field under a golden sky' },
  { key: 'ex3', prompt: 'oil painting, the sea at dawn under soft clouds' },
];

/** The invitation to write, or to paint an example. */
export function invitation() {
  return el('div', { class: 'invitation' },
    el('h2', { class: 'invitation-title hand' }, t('first_t')),
    el('p', { class: 'invitation-line hand' }, t('first_s')),
    el('ul', null, ...examples.map(itemOf)));
}

/** @param {{key: string, prompt: string}} example */
function itemOf({ key, prompt }) {
  const begin = () => {
    change({ prompt });
    paint();
  };
  return el('li', null, el('button', { class: 'example', type: 'button', onClick: begin },
    el('img', { src: `pictures/${key}.webp`, alt: '', width: 148, height: 104 }),
    el('span', { class: 'example-words hand' }, t(key)),
    el('span', { class: 'example-act' }, t('try'))));
}
