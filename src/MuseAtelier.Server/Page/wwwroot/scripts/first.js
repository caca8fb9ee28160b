// Runs before the first paint, so that neither theme nor language changes before the eyes, and starts all other scripts after it. The keys
// are those of storage.js.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return JSON.parse(localStorage.getItem(`muse.${name}`) ?? 'null');
    } catch {
      return null;
    }
  };
  const theme = kept('theme');
  if (theme === 'day' || theme === 'night') {
    root.dataset.theme = theme;
  } else {
    root.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'day';
  }
  const chosen = kept('language') ?? navigator.languages.find((each) => /^(zh|en)\b/i.test(each)) ?? 'en';
  root.lang = /^zh/i.test(chosen) ? 'zh-Hans' : 'en';
  const begin = () => import('./main.js');
  // A page that is not seen paints no frame.
  addEventListener('DOMContentLoaded', () => (document.hidden ? begin() : requestAnimationFrame(() => setTimeout(begin))));
})();
