/* notices.js: the open list of notices follows what happens: a new one, one that was changed or taken away, one that was
 * read on another device. It asks for the list anew and changes what differs, so that nobody loses their place. All that
 * came from others is written as text, never as markup. Without this script the list is as it was when the page came, and
 * its forms lead back to it. */
(() => {
  const SOON_MS = 100;
  const TRY_AGAIN_MS = 5_000;
  const list = document.querySelector('[data-notices]');
  const form = document.querySelector('[data-notice-form]');
  if (!list || !form) return;
  const find = (name, within = document) => within.querySelector(`[data-${name}]`);
  const address = `/notifications.json${location.search}`;

  /** How many are unread, as this page shows it; undefined where it does not know. */
  let unread = find('read-state') ? undefined : Number(list.dataset.unread);
  let timer;
  let due = Number.POSITIVE_INFINITY;
  /** How often the list was asked for, and which of these answers is shown. */
  let asked = 0;
  let newest = 0;

  /** Writes one notice into its place. */
  const fill = (item, { id, title, text, severity, word, read, isOwn, time, ago }) => {
    Object.assign(item.dataset, { notification: id, read, severity });
    find('title', item).textContent = title;
    find('text', item).textContent = text;
    find('word', item).textContent = word;
    find('status', item).textContent = read ? 'Read: ' : 'Unread: ';
    find('own', item).hidden = !isOwn;
    item.querySelector('use').setAttribute('href', `/icons.svg#${severity}`);
    const when = item.querySelector('time');
    when.dateTime = time;
    when.textContent = ago;
    item.querySelector('[name="id"]').value = id;
    const mark = find('mark', item);
    mark.value = read ? 'unread' : 'read';
    mark.textContent = `Mark as ${mark.value}`;
    mark.setAttribute('aria-label', `${mark.textContent}: ${title}`);
    find('dismiss', item).setAttribute('aria-label', `Remove: ${title}`);
  };
  const isWhole = (item) => item.querySelector('form') !== null;

  const show = (answer) => {
    const items = new Map([...list.children].filter(isWhole).map((item) => [item.dataset.notification, item]));
    const shown = answer.notices.map((notice) => {
      const item = items.get(notice.id) ?? form.content.firstElementChild.cloneNode(true);
      fill(item, notice);
      return item;
    });
    // What is in its place stays there: an element that is moved loses the focus.
    let lost = -1;
    for (const [i, item] of [...list.children].entries()) {
      if (shown.includes(item)) continue;
      if (item.contains(document.activeElement)) lost = i;
      item.remove();
    }
    for (const [i, item] of shown.entries()) {
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
    }
    if (lost >= 0)
      (find('mark', shown[Math.min(lost, shown.length - 1)] ?? list) ?? document.querySelector('h1')).focus();
    unread = answer.unread;
    find('summary').textContent = answer.summary;
    find('none').hidden = shown.length > 0;
    find('all-read').hidden = unread === 0;
    find('mute').hidden = answer.isMuted;
    find('unmute').hidden = !answer.isMuted;
    find('older').hidden = answer.older === null;
    if (answer.older !== null) find('older').href = answer.older;
    find('read-state')?.remove();
  };

  const refresh = async () => {
    due = Number.POSITIVE_INFINITY;
    asked += 1;
    const mine = asked;
    const response = await fetch(address, { cache: 'no-store' }).catch(() => undefined);
    const answer = response?.ok ? await response.json().catch(() => undefined) : undefined;
    // A later question may have been answered before.
    if (mine < newest) return;
    newest = mine;
    if (answer?.known) show(answer);
    else refreshSoon(TRY_AGAIN_MS);
  };
  const refreshSoon = (ms = SOON_MS) => {
    const at = Date.now() + ms;
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(refresh, ms);
  };
  const post = (fields) =>
    fetch('/notifications.json', { method: 'POST', body: new URLSearchParams(fields) }).catch(() => undefined);

  // A form does the same without leading away.
  document.querySelector('main').addEventListener('submit', async (event) => {
    event.preventDefault();
    const response = await post(new FormData(event.target, event.submitter));
    find('failed').hidden = response?.ok === true;
    await refresh();
  });

  // Looking at the list clears the bell: also of what comes while somebody looks.
  let unseen = 0;
  const look = () => {
    if (unseen > 0 && document.visibilityState === 'visible') void post({ do: 'all-seen' });
  };
  document.addEventListener('visibilitychange', look);

  const { on } = window.sessionwise ?? { on: () => {} };
  on('unread', (now, counts) => {
    if (now !== unread) refreshSoon();
    unseen = counts.unseen;
    look();
  });
  for (const event of ['notice', 'edited', 'withdrawn', 'stale', 'logged-out']) on(event, () => refreshSoon());
})();
