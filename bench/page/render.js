import { FEATURED, NOTICES } from './namespace.js';

const CARDS = FEATURED.map(
  (path) => `<a href="${path}">Television</a><p>55 inches, and thin enough to forget behind the film.</p></li>\n`,
);

/** A page of a shop for a session, with the four answers or without any: it is as long then, but for the figures. */
export function render({ user, cart, theme, language, csrf }, answers) {
  const lines = cart.map(({ id, n }) => `<li>${n} x ${id}</li>`).join('');
  const isFresh = answers ? new Set(answers.fresh) : undefined;
  const cards = FEATURED.map((path, i) => `<li data-seen="${isFresh ? !isFresh.has(path) : false}">${CARDS[i]}`).join(
    '',
  );
  const notices = answers
    ? answers.notices.map(({ id, text, seen }) => notice(id, text, seen))
    : NOTICES.map((id) => notice(id, 'Whatever you order until Sunday comes for nothing.', false));
  return `<!doctype html>
<html lang="${language}" class="${theme}"><title>Shop</title>
<body data-user="${user.id}"><h1>Hello ${user.name}</h1><ul>${lines}</ul>
<ul>${cards}</ul>
<ul>${notices.join('')}</ul>
<ul>${answers ? answers.suggestions.map(suggestion).join('') : ''}</ul>
<form><input type="hidden" name="csrf" value="${csrf}"></form>
${answers ? footer(answers.figures) : '<footer>Your visit</footer>'}
</body></html>
`;
}

function notice(id, text, seen) {
  return `<li data-notice="${id}" data-seen="${seen}">${text}</li>\n`;
}

function suggestion({ rule, suggest, because, reason }) {
  return `<li data-rule="${rule}">${suggest}: ${reason} Because of ${because.join(', ')}.</li>\n`;
}

function footer({ totalPages, uniquePages, activity }) {
  return `<footer data-state="live">${totalPages} pages, ${uniquePages} different, active ${activity.join('')}</footer>`;
}
