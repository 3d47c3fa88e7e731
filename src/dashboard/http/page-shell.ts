import type { Operator } from '../access/access.ts';
import type { DashboardView } from '../view.ts';

/** What the frame of a page is told. */
export interface ShellOptions {
  readonly view: DashboardView;
  readonly views: readonly DashboardView[];
  readonly namespace: string;
  readonly operator: Operator;
  readonly isReadOnly: boolean;
  readonly csrf: string;
  readonly canLeave: boolean;
}

/** The HTML of a page without its data. Addresses are relative, so that it works below any path. */
export function pageShell({ view, views, namespace, operator, isReadOnly, csrf, canLeave }: ShellOptions): string {
  const links = views.map(
    ({ name, title }) =>
      `<li><a href="${escaped(name)}"${name === view.name ? ' aria-current="page"' : ''}>${escaped(title)}</a></li>`,
  );
  const role = isReadOnly ? `${operator.role}, read-only` : operator.role;
  return documentOf(
    `${view.title} · Sessionwise`,
    `<script src="frame.js" type="module"></script>`,
    `<body data-view="${escaped(view.name)}" data-role="${operator.role}" data-read-only="${isReadOnly}" data-csrf="${escaped(csrf)}">
<a class="skip" href="#view">Skip to the page</a>
<header class="bar">
<p class="brand"><img src="icon.svg" alt="" width="24" height="24">Sessionwise <span class="namespace">${escaped(namespace)}</span></p>
<nav aria-label="Views"><ul>${links.join('')}</ul></nav>
<div class="who"><span>${escaped(operator.name)} <span class="quiet">(${role})</span></span>
<label class="theme">Theme <select id="theme"><option value="auto">System</option><option value="light">Light</option><option value="dark">Dark</option></select></label>${
      canLeave ? '<button type="button" id="leave">Log out</button>' : ''
    }</div>
</header>
<main id="view" tabindex="-1">
<div class="title"><h1>${escaped(view.title)}</h1><p id="state" class="state" role="status">Loading</p></div>
<p id="trouble" class="trouble" role="alert" hidden></p>
<div id="root"></div>
<noscript><p class="trouble">The dashboard needs JavaScript, which is served from here.</p></noscript>
</main>
<div id="announce" class="hidden" role="status" aria-live="polite"></div>
</body>`,
  );
}

/** The HTML of the page that asks for the token. */
export function loginShell(): string {
  return documentOf(
    'Log in · Sessionwise',
    '<script src="login.js" type="module"></script>',
    `<body class="login">
<main>
<h1><img src="icon.svg" alt="" width="32" height="32"> Sessionwise</h1>
<form id="login" method="post" action="login">
<label for="token">Token of this dashboard</label>
<input id="token" name="token" type="password" autocomplete="off" required>
<button type="submit">Log in</button>
<p id="trouble" class="trouble" role="alert" hidden></p>
<noscript><p class="trouble">The dashboard needs JavaScript, which is served from here.</p></noscript>
</form>
</main>
</body>`,
  );
}

/** The HTML of a page that says why there is none. */
export function refusalShell(message: string): string {
  return documentOf(
    'Refused · Sessionwise',
    '',
    `<body class="login"><main><h1>Sessionwise</h1><p class="trouble">${escaped(message)}</p></main></body>`,
  );
}

function documentOf(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escaped(title)}</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="style.css">
<script src="theme.js"></script>
${head}
</head>
${body}
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
