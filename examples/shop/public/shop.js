/* shop.js: the bell's number moves while a page is open. Screen readers are told that there is more, but not at each
 * change: some seconds later, and then not again for a while. Without this script the bell is what the page came with. */
(() => {
  const SETTLE_MS = 1_000;
  const QUIET_MS = 20_000;
  const MOST_SHOWN = 99;
  const bell = document.querySelector('[data-bell]');
  const status = document.querySelector('[data-announce]');
  if (!bell || !status || !window.sessionwise) return;
  const badge = bell.querySelector('[data-badge]');

  let count = Number(bell.dataset.unseen ?? 0);
  /** What screen readers know of. */
  let told = count;
  let quietUntil = 0;
  let isWaiting = false;

  const tell = () => {
    isWaiting = false;
    if (count <= told) return;
    const more = count - told;
    told = count;
    quietUntil = Date.now() + QUIET_MS;
    status.textContent = more === 1 ? 'There is a new notice.' : `There are ${more} new notices.`;
  };

  sessionwise.on('unread', (_unread, { unseen }) => {
    count = unseen;
    bell.dataset.unseen = unseen;
    badge.querySelector('[data-number]').textContent = unseen > MOST_SHOWN ? `${MOST_SHOWN}+` : unseen;
    badge.hidden = unseen === 0;
    told = Math.min(told, count);
    if (count <= told || isWaiting) return;
    isWaiting = true;
    setTimeout(tell, Math.max(SETTLE_MS, quietUntil - Date.now()));
  });
})();
