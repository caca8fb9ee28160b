import { t, duration, onLanguage } from './i18n.js';
import { secondsOf } from './jobs.js';
import { say } from './say.js';
import { state, on, running } from './store.js';

/** What was said of which job, so that nothing is said twice. */
let told = { id: '', begun: false, half: false };

/** Says to screen readers when painting begins, is half done and ends; the title of the window counts the steps. */
export function start() {
  on('jobs', () => {
    showTitle();
    tell();
  });
  onLanguage(showTitle);
  showTitle();
}

function showTitle() {
  const job = running();
  const name = t('title');
  const isCounted = job && job.steps > 0 && job.state === 'painting';
  const title = isCounted ? `${job.step}/${job.steps} · ${name}` : name;
  if (document.title !== title) {
    document.title = title;
  }
}

function tell() {
  const job = running();
  if (told.id !== '' && told.id !== job?.id) {
    const before = state.jobs.find((each) => each.id === told.id);
    if (before?.state === 'done' && before.kind !== 'verify') {
      say(t('live_done', { s: duration(secondsOf(before)) }));
    } else if (before?.state === 'done') {
      say(before.verification?.holds ? t('verified') : t('mismatch', { n: before.verification?.divergesAtStep ?? 0 }));
    } else if (before?.state === 'stopped') {
      say(t('live_stop'));
    }
    told = { id: '', begun: false, half: false };
  }
  if (!job) {
    return;
  }
  // While the model is opened nothing is said, but a job that is stopped then has ended like any other.
  told.id = job.id;
  if (job.state === 'painting' && !told.begun && job.steps > 0) {
    told = { id: job.id, begun: true, half: job.step * 2 >= job.steps };
    say(t('live_start', { n: job.steps }));
  } else if (told.begun && !told.half && job.step * 2 >= job.steps) {
    told.half = true;
    say(t('live_half', { s: duration(job.secondsLeft ?? 0) }));
  }
}
