import { checkHandleOptions } from '../../dist/adapters/http/handle-options.js';
import { checkVisitorCookie } from '../../dist/adapters/http/visitor-cookie-options.js';
import { storeSettingsOf } from '../../dist/adapters/session-store-options.js';
import { checkSessionwiseOptions } from '../../dist/adapters/sessionwise-options.js';
import { checkClientOptions } from '../../dist/client/client-options.js';
import { checkConsumeOptions } from '../../dist/consumers/consume-options.js';
import { checkServiceOptions } from '../../dist/service/check-service-options.js';
import { settingsOf } from '../../dist/sessions/options.js';
import { meaningAndDefault, membersOf } from './interface-members.js';
import { cell, GENERATED } from './markdown.js';

/* draw-options.js: docs/reference/options.md: each option with its docstring, and with what its check says to give. */

const REDIS = 'redis://127.0.0.1:6379';
const SECTIONS = [
  {
    title: '`createSessionwise(options)`',
    intro: 'Of `sessionwise/express` and `sessionwise/fastify`: all that a site needs, in one object.',
    of: [['adapters/sessionwise-options.ts', 'SessionwiseOptions']],
    check: (option) => checkSessionwiseOptions({ redis: REDIS, secret: 'x'.repeat(32), ...option }),
  },
  {
    title: '`sw.knowledge(options)`',
    intro:
      'The middleware: finds the visitor, attaches `request.sessionwise`, counts page views. The function `sessionwise(options)`, for sites without `createSessionwise`, takes the same and `client`.',
    of: [['adapters/http/handle-options.ts', 'HandleOptions']],
    check: (option) => checkHandleOptions('sw.knowledge()', option, {}),
  },
  {
    title: '`cookie` of `sw.knowledge`',
    intro:
      'The cookie by which a browser is the same visitor again. It is always HttpOnly, and it is not the cookie of the session.',
    of: [['adapters/http/visitor-cookie-options.ts', 'VisitorCookieOptions']],
    check: (option) => checkVisitorCookie('sw.knowledge()', option),
  },
  {
    title: '`sw.live(options)`',
    intro: 'Live streams to open pages ([notices.md](../notices.md#live)).',
    of: [['live/live-options.ts', 'LiveOptions']],
  },
  {
    title: '`store` and `new SessionStore(options)`',
    intro:
      'Session data ([sessions.md](../sessions.md)). As `store` of `createSessionwise` it takes all but `redis` and `namespace`.',
    of: [
      ['sessions/options.ts', 'SessionDataOptions'],
      ['adapters/session-store-options.ts', 'SessionStoreOptions'],
    ],
    check: (option) => {
      storeSettingsOf({ redis: REDIS, ...option });
      settingsOf({ redis: REDIS, ...withoutStoreOptions(option) });
    },
  },
  {
    title: '`client` and `new SessionClient(options)`',
    intro:
      'The client alone; one per process. As `client` of `createSessionwise` it takes `ownConnection`, `maxBacklog`, `keepDeadlineMs`, `replies`, `blockingConnections` and `maxPending`.',
    of: [['client/client-options.ts', 'SessionClientOptions']],
    check: (option) => checkClientOptions({ redis: REDIS, ...option }),
  },
  {
    title: '`client.session(id, options)`',
    intro: 'One page of one visitor. The adapters open it themselves.',
    of: [['client/session-handle.ts', 'PageOptions']],
  },
  {
    title: '`redis` as an object',
    intro: 'The parts of an address, in place of a URL: for `redis` everywhere, and for the file of `--connection`.',
    of: [['redis/options/connection-options.ts', 'ConnectionOptions']],
  },
  {
    title: '`service` and `startService(options)`',
    intro:
      'The service inside of a program, of `sessionwise/service`. As `service` of `createSessionwise` it takes all but `redis`, `namespace`, `secret`, `dataDir`, `transport`, `sessionglob` and `maxInFlight`. The command `sessionwise serve` takes the same from its [configuration](configuration.md).',
    of: [
      ['service/open-namespace.ts', 'NamespaceOptions'],
      ['service/start-service.ts', 'ServiceOptions'],
      ['rules/rules.ts', 'Rules'],
    ],
    check: (option) => checkServiceOptions({ redis: REDIS, ...option }),
  },
  {
    title: '`store.lifecycle(options)` and `client.notices.events(options)`',
    intro: 'Loops over events ([sessions.md](../sessions.md#lifecycle)).',
    of: [['consumers/consume-options.ts', 'ConsumeOptions']],
    check: (option) => checkConsumeOptions('lifecycle', { group: 'mailer', ...option }),
  },
];

/** The reference of options, as Markdown. */
export async function drawOptions() {
  return [
    '# Options',
    '',
    GENERATED,
    '',
    'What each option means, its default, and what it takes. Names carry their unit: `deadlineMs` is milliseconds, `retention.seconds` seconds. An unknown name and an unusable value throw a `RangeError` when the object is made; it names both, and proposes the name or value that was probably meant. [api.md](../api.md) says how the parts work together.',
    '',
    ...SECTIONS.map(({ title }) => `- [${title}](#${slugOf(title)})`),
    '',
    ...SECTIONS.flatMap(drawSection),
  ].join('\n');
}

function drawSection({ title, intro, of, check }) {
  const members = of.flatMap(([file, name]) => membersOf(file, name));
  const names = members.map(({ name }) => name);
  const unchecked = check ? names.filter((name) => !knows(check, name)) : [];
  if (unchecked.length > 0) throw new Error(`${title}: the code knows no ${unchecked.join(', ')}.`);
  const rows = members.map(({ name, isOptional, type, text }) => {
    const [meaning, value] = meaningAndDefault(text);
    if (meaning === '') throw new Error(`${title}: ${name} has no docstring that says what it means.`);
    const taken = (check && takenBy(check, name)) ?? `\`${type}\``;
    return `| \`${name}\` | ${cell(taken)} | ${isOptional ? cell(value) : 'required'} | ${cell(meaning)} |`;
  });
  return [`## ${title}`, '', intro, '', '| option | takes | default | |', '| --- | --- | --- | --- |', ...rows, ''];
}

/** Whether a check knows an option: a `undefined` of it counts as left out. */
function knows(check, name) {
  return !/knows no option/.test(refusalOf(check, { [name]: undefined }) ?? '');
}

const WRONG = [-1, 'wrong', 1.5, {}, true, Symbol('wrong')];

/** What a check says to give in place of a wrong value of an option; undefined where it refuses none of them. */
function takenBy(check, name) {
  for (const value of WRONG) {
    const [, said] = /: give (.*)\.$/.exec(refusalOf(check, { [name]: value }) ?? '') ?? [];
    if (said !== undefined && !/leave/.test(said))
      return said
        .replace(/"[^"]*"/g, (text) => `\`${text}\``)
        .replace(/\d{5,}/g, (digits) => Number(digits).toLocaleString('en'));
  }
  return undefined;
}

function refusalOf(check, option) {
  try {
    check(option);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    return error.message;
  }
}

function withoutStoreOptions({ fail, anonymousIdleMs, ...rest }) {
  return rest;
}

function slugOf(title) {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
