import { newSeed } from './actions.js';
import { el, icon } from './dom.js';
import { t } from './i18n.js';
import { state, change } from './store.js';

/** Rolls a new seed, which the next picture is painted with. */
export function roll() {
  change({ seed: newSeed(), isSeedFresh: true });
  for (const button of document.querySelectorAll('.dice')) {
    button.classList.add('dice-turned');
    setTimeout(() => button.classList.remove('dice-turned'), 150);
  }
}

/** Keeps the seed, or lets each picture have a new one. */
export function toggleLock() {
  change({ isSeedLocked: !state.settings.isSeedLocked });
}

/** @param {string} id */
export function diceButton(id) {
  return el('button', {
    id, class: 'icon-button dice', type: 'button', title: t('dice'), 'aria-label': t('dice'), onClick: roll,
  }, icon('dice'));
}

/** @param {string} id */
export function lockButton(id) {
  const isLocked = state.settings.isSeedLocked;
  return el('button', {
    id,
    class: 'icon-button',
    type: 'button',
    title: t(isLocked ? 'unlock' : 'lock'),
    'aria-label': t('lock'),
    'aria-pressed': String(isLocked),
    onClick: toggleLock,
  }, icon(isLocked ? 'lock' : 'unlock'));
}
