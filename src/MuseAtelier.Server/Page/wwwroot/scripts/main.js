import * as bench from './bench.js';
import * as checklist from './checklist.js';
import * as desk from './desk.js';
import { placeIcons } from './dom.js';
import * as draft from './draft.js';
import * as drawer from './drawer.js';
import * as drop from './drop.js';
import * as emphasis from './emphasis.js';
import * as events from './events.js';
import * as gallery from './gallery.js';
import * as gone from './gone.js';
import { apply } from './i18n.js';
import * as keys from './keys.js';
import * as label from './label.js';
import * as largeView from './large-view.js';
import * as layout from './layout.js';
import * as mannerChips from './manner-chips.js';
import * as navigation from './navigation.js';
import * as note from './note.js';
import * as progress from './progress.js';
import * as queue from './queue.js';
import * as shortcuts from './shortcuts.js';
import * as stage from './stage.js';
import * as strip from './strip.js';
import * as toast from './toast.js';

/**
 * The features of the page in the order in which they begin. They know each other only by the store, so that one that fails leaves the
 * others working.
 */
const features = {
  shortcuts, navigation, layout, desk, emphasis, strip, drawer, stage, draft, mannerChips, note, label, bench, progress, gallery,
  largeView, drop, queue, keys, checklist, toast, gone, events,
};

placeIcons();
apply();
document.documentElement.dataset.ready = '';
for (const [name, feature] of Object.entries(features)) {
  try {
    feature.start();
  } catch (problem) {
    console.error(`The feature "${name}" did not start.`, problem);
  }
}
