/* theme.js: the chosen theme, before anything is painted. */
(() => {
  let theme = 'auto';
  try {
    theme = localStorage.getItem('sessionwise-theme') ?? 'auto';
  } catch {
    // Storage is switched off: the system's theme.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
