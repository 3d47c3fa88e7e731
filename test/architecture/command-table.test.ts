import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NoticePublisher } from '../../src/client/notice-publisher.ts';
import { Notices } from '../../src/client/notices.ts';
import type { HandleRequests } from '../../src/client/page-requests.ts';
import { SessionHandle } from '../../src/client/session-handle.ts';
import { CANONICAL_COMMANDS, COMMAND_NAMES, canonicalCommand, isWriting } from '../../src/protocol/index.ts';
import { findHandler, handlers } from '../../src/service/commands/index.ts';

/* The table of protocol/commands.ts is the only list of commands. What a compiler cannot compare with it is compared
 * here: the service's handlers, the document of the protocol and the methods of the session handle. */

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
const [, SECTION] = /^## \d+\. Commands\n([\s\S]*?)^## /m.exec(DOCUMENT)!;

/** A command's names, its first one in front, as the document writes them in headings and tables. */
const NAMES = CANONICAL_COMMANDS.map((command) =>
  COMMAND_NAMES.filter((name) => canonicalCommand(name) === command)
    .sort((one) => (one === command ? -1 : 1))
    .join(', '),
);

/** Commands for which a handle has no method: adapters count views and robots, note active minutes, identify people and keep streams
 *  open, and what one page asks at once travels together by itself. Marks of notices are `mark-notices`. */
const WITHOUT_METHOD = ['pageview', 'active', 'identify', 'live', 'robots', 'together', 'mark-notification-seen'];

/** What the methods for those who write notices take. */
const PUBLISHED: Readonly<Record<string, unknown[]>> = {
  publish: [{ to: { group: 'g' }, id: 'n', text: 'T' }],
  edit: ['n', { text: 'T' }],
  withdraw: ['n'],
  list: [{ group: 'g' }],
  stats: [['n']],
  setGroup: ['g', { join: 'all' }],
};

/** Which commands each method of a session handle, and of `client.notices`, sends. */
function commandsOfHandle(): Map<string, string[]> {
  const sent: string[] = [];
  const note = async (command: string): Promise<void> => {
    sent.push(command);
  };
  const handle = new SessionHandle({ request: note, publish: note } as unknown as HandleRequests);
  const found = new Map<string, string[]>();
  for (const [path, owner, { prototype }] of [
    ['', handle, SessionHandle],
    ['notices.', handle.notices, Notices],
  ] as const) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value !== 'function' || ['constructor', 'request', 'publish'].includes(name)) continue;
      call(() => value.call(owner, [])) ?? call(() => value.call(owner));
      if (name === 'shown') call(() => value.call(owner, ['rule']));
      found.set(path + name, sent.splice(0));
    }
  }
  const send = async (command: string) => {
    sent.push(command);
    return {} as never;
  };
  const publisher = new NoticePublisher(send, () => ({}) as never);
  for (const [name, given] of Object.entries(PUBLISHED)) {
    void (publisher as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!(...given);
    found.set(`client.notices.${name}`, sent.splice(0));
  }
  return found;
}

/** Some methods take an array, some an object; a mistake throws at once. */
function call(method: () => unknown): unknown {
  try {
    return method() ?? true;
  } catch {
    return undefined;
  }
}

/** The wire names that the documentation of each method says. */
function documentedNames(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [file, path] of [
    ['session-handle', ''],
    ['notices', 'notices.'],
    ['notice-publisher', 'client.notices.'],
  ]) {
    const source = readFileSync(join(ROOT, `src/client/${file}.ts`), 'utf8');
    for (const [, doc, name] of source.matchAll(
      /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?:async )?(\w+)(?:<[^(]*)?\(/g,
    )) {
      const [, wire] = /On the wire([^.]*)\./.exec(doc!.replace(/\s*\n\s*\*\s*/g, ' ')) ?? [];
      const words = [...(wire ?? '').matchAll(/`([\w-]+)`/g)].map(([, word]) => word!);
      if (words.length > 0) found.set(`${path}${name}`, words);
    }
  }
  return found;
}

describe('the command table', () => {
  it('has more than one command and at least one alias', () => {
    expect(CANONICAL_COMMANDS.length).toBeGreaterThanOrEqual(7);
    expect(COMMAND_NAMES.length).toBeGreaterThan(CANONICAL_COMMANDS.length);
  });

  it('agrees with the commands that the service serves', () => {
    expect(Object.keys(handlers).sort()).toEqual([...CANONICAL_COMMANDS].sort());
    for (const name of COMMAND_NAMES) expect(findHandler(name)?.command, name).toBe(canonicalCommand(name));
    expect(findHandler('toString')).toBeUndefined();
  });

  it('agrees with the headings of docs/protocol.md', () => {
    const headings = [...SECTION!.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading!);
    expect(headings.sort()).toEqual([...NAMES].sort());
  });

  it('agrees with the table of docs/protocol.md, which says what writes', () => {
    const rows = [...SECTION!.matchAll(/^\| (`.+`) \|.*\| (yes|no) \|$/gm)].map(
      ([, names, writes]) => `${names!.replaceAll('`', '')}: ${writes}`,
    );
    const expected = NAMES.map((names) => `${names}: ${isWriting(names.split(',')[0]!) ? 'yes' : 'no'}`);
    expect(rows.sort()).toEqual(expected.sort());
  });

  it('agrees with the methods of a session handle: each sends one command, which its documentation names', () => {
    const commands = commandsOfHandle();
    expect([...commands].filter(([, sent]) => sent.length !== 1)).toEqual([]);
    const sent = [...commands.values()].flat();
    const expected = CANONICAL_COMMANDS.filter((command) => !WITHOUT_METHOD.includes(command));
    expect([...new Set(sent.map(canonicalCommand))].sort()).toEqual(expected.sort());
    const documented = documentedNames();
    expect([...commands].filter(([name, [command]]) => !documented.get(name)?.includes(command!))).toEqual([]);
  });

  it('says what a command takes and answers in types that can be imported', () => {
    const textOf = (file: string): string => readFileSync(join(ROOT, 'src', file), 'utf8');
    const declared = [...textOf('protocol/commands.ts').matchAll(/^export (?:interface|type) (\w+)/gm)];
    const names = declared.map(([, name]) => name!).filter((name) => name !== 'CanonicalCommand');
    expect(names.length).toBeGreaterThan(5);
    for (const index of ['index.ts', 'protocol/index.ts']) {
      expect(
        names.filter((name) => !new RegExp(`\\b${name}\\b`).test(textOf(index))),
        index,
      ).toEqual([]);
    }
  });
});
