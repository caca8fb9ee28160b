import { placeIcons } from './dom.js';
import { apply } from './i18n.js';

/**
 * The features of the page, each a module that exports `start()`. They know each other only by the store, so that one that fails leaves the
 * others working.
 */
const features = [
  'shortcuts', 'navigation', 'layout', 'desk', 'emphasis', 'strip', 'drawer', 'stage', 'note', 'label', 'bench', 'progress',
  'gallery', 'large-view', 'drop', 'queue', 'keys', 'checklist', 'toast', 'gone', 'events',
];

placeIcons();
apply();
document.documentElement.dataset.ready = '';
const begun = await Promise.allSettled(features.map((name) => import(`./${name}.js`)));
for (const [index, result] of begun.entries()) {
  try {
    if (result.status === 'rejected') {
      throw result.reason;
    }
    result.value.start();
  } catch (problem) {
    console.error(`The feature "${features[index]}" did not start.`, problem);
  }
}
