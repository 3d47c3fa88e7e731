import { createCipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, serviceOptionsOf } from '../../src/cli/config/index.ts';
import { COMMAND_NAMES, personOf, sessionOf } from '../../src/protocol/index.ts';
import { createConnection, Keys, PARTITION_TAGS, partitionOf, type RedisConnection } from '../../src/redis/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { MAX_TRIES } from '../../src/transport/streams/entry-tries.ts';
import { IN_HAND_LIMIT } from '../../src/transport/streams/partition-worker.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { DEAD_LETTER_CAP } from '../../src/transport/streams/scripts/commit-lua.ts';
import { DONE_CAP, DONE_TTL_MS } from '../../src/transport/streams/scripts/renew-partition.ts';
import { streamOf } from '../../src/transport/streams/stream-of.ts';
import { LEASE_MS } from '../../src/transport/streams/stream-receiver.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The protocol's document is normative, so it must be true: every fenced block `wire` of docs/protocol.md runs here
 * against a real Redis and a real service (the format stands in the document's last section). */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = 'the secret of the examples';
const START_OF_BLOCK = Date.parse('2026-01-15T10:00:00Z');
const MESSAGE_DEADLINE_MS = 3_000;
/** A session and an inbox that no example uses. */
const PROBE = 'wire-probe';
const ONE_SERVER = { oneSlotPerRead: false };

interface Block {
  /** The heading that it stands under. */
  readonly heading: string;
  readonly info: string;
  /** The number of its first line in the document. */
  readonly firstLine: number;
  readonly lines: readonly string[];
}

const protocol = readBlocks('docs/protocol.md');
const examples = protocol.filter(({ info }) => info === 'wire');
const oneBlock = (info: string): Block => {
  const found = protocol.filter((block) => block.info === info);
  if (found.length !== 1) throw new Error(`docs/protocol.md has ${found.length} blocks "${info}", and needs one.`);
  return found[0]!;
};

describe('docs/protocol.md: the byte examples', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let connections: { sender: RedisConnection; waiter: RedisConnection };
  let now = START_OF_BLOCK;
  const services: Service[] = [];

  beforeAll(async () => {
    const options = {
      ...serviceOptionsOf(checkConfig(JSON.parse(oneBlock('json service').lines.join('\n')))),
      redis: redis.url,
      secret: SECRET,
      transport: 'both' as const,
      clock: () => now,
    };
    services.push(await startService(options), await startService({ ...options, namespace: 'shop' }));
    const namespace = await openNamespace(options, false);
    for (const { group, ...notice } of JSON.parse(oneBlock('json notices').lines.join('\n'))) {
      await namespace.knowledge.notices.lists.publish({ kind: 'group', name: group }, notice);
    }
    await namespace.redis.close();
    connections = {
      sender: await createConnection(redis.url).connect(),
      waiter: await createConnection(redis.url).connect(),
    };
  });

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all(Object.values(connections ?? {}).map((connection) => connection.close()));
  });

  it('there are at least 25', () => {
    expect(examples.length).toBeGreaterThanOrEqual(25);
  });

  it('every command has one, under each of its names', () => {
    const sent = examples.flatMap(({ lines }) =>
      lines.map((line) => /^> PUBLISH (?:\w+:)?ss:([^:]+):/.exec(line)?.[1]),
    );
    expect(COMMAND_NAMES.filter((name) => !sent.includes(name))).toEqual([]);
  });

  it('none depends on another: no session stands in two of them', () => {
    const sessions = examples.map(({ lines }) => new Set(lines.flatMap((line) => sessionIn(line) ?? [])));
    const all = sessions.flatMap((own) => [...own]);
    expect(all.filter((session, i) => all.indexOf(session) !== i)).toEqual([]);
  });

  it.each(examples.map((block) => [`line ${block.firstLine}, ${block.heading}`, block] as const))(
    '%s',
    async (_name, block) => {
      now = START_OF_BLOCK;
      const run = new ExampleRun(connections, (time) => {
        now = time;
      });
      try {
        for (const [i, line] of block.lines.entries()) await run.step(line, `docs/protocol.md:${block.firstLine + i}`);
        await run.finish();
      } finally {
        await run.close();
      }
    },
  );

  it('the sessions of tokens', () => {
    const { lines } = oneBlock('vectors');
    expect(lines.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) {
      const [token, session] = line.split(' -> ');
      expect(`${token} -> ${sessionOf(JSON.parse(token!))}`).toBe(`${token} -> ${session}`);
    }
  });

  it('the ids of persons', () => {
    const { lines } = oneBlock('persons');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      const [user, person] = line.split(' -> ');
      expect(`${user} -> ${personOf(JSON.parse(user!))}`).toBe(`${user} -> ${person}`);
    }
  });
});

describe('docs/protocol.md: streams', () => {
  it('the tags of the partitions', () => {
    expect(oneBlock('tags').lines.join(' ').split(' ')).toEqual(PARTITION_TAGS);
  });

  it('the partitions of sessions', () => {
    const { lines } = oneBlock('partitions');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      const session = line.split(' -> ', 1)[0]!;
      const partition = partitionOf(session);
      const [own, shared] = [partition, streamOf(session, ONE_SERVER)].map((stream) => new Keys('sw').requests(stream));
      expect(line).toBe(`${session} -> ${partition} -> ${own} -> ${shared}`);
    }
  });

  it('every example writes to the stream of its session', () => {
    const entries = examples.flatMap(({ lines }) => lines.filter((line) => line.startsWith('> XADD ')));
    expect(entries.length).toBeGreaterThanOrEqual(10);
    // `*` may not stand in a session: such an entry is an example of a malformed one.
    for (const line of entries.filter((entry) => !sessionIn(entry)?.includes('*'))) {
      const [, key] = /^> XADD (\S+) /.exec(line)!;
      expect(key, line).toBe(new Keys(key!.split(':', 1)[0]!).requests(streamOf(sessionIn(line)!, ONE_SERVER)));
    }
  });

  it('the sealed payload', () => {
    const { secret, namespace, payload, nonce, key, entryKey, e, ...context } = JSON.parse(
      oneBlock('sealed').lines.join('\n'),
    );
    expect(secret).toBe(SECRET);
    expect(new PayloadSeal(secret, namespace).open(context, e)).toBe(payload);
    // As the document tells it, without our code.
    const derived = createHmac('sha256', secret).update(`sessionwise stream payload ${namespace}`).digest();
    expect(derived.toString('hex')).toBe(key);
    const data = Buffer.from(`${context.command}:${context.session}:${context.request}`);
    const keyOfEntry = createHmac('sha256', derived).update(data).digest();
    expect(keyOfEntry.toString('hex')).toBe(entryKey);
    const cipher = createCipheriv('aes-256-gcm', keyOfEntry, Buffer.from(nonce, 'hex'));
    cipher.setAAD(data);
    const text = [Buffer.from(nonce, 'hex'), cipher.update(payload), cipher.final(), cipher.getAuthTag()];
    expect(Buffer.concat(text).toString('base64url')).toBe(e);
  });

  it('the figures that services share', () => {
    expect(JSON.parse(oneBlock('json streams').lines.join('\n'))).toEqual({
      leaseMs: LEASE_MS,
      inHand: IN_HAND_LIMIT,
      tries: MAX_TRIES,
      doneMs: DONE_TTL_MS,
      doneMost: DONE_CAP,
      deadLetters: DEAD_LETTER_CAP,
    });
  });
});

/** Runs the lines of one example. */
class ExampleRun {
  readonly #connections: { sender: RedisConnection; waiter: RedisConnection };
  readonly #setClock: (time: number) => void;
  readonly #heard = new Map<string, string[]>();
  readonly #answered: string[] = [];
  #listener: RedisConnection | undefined;
  #reply: Promise<unknown> | undefined;

  constructor(connections: { sender: RedisConnection; waiter: RedisConnection }, setClock: (time: number) => void) {
    this.#connections = connections;
    this.#setClock = setClock;
  }

  async step(line: string, where: string): Promise<void> {
    const [sign, rest] = [line.slice(0, 1), line.slice(2)];
    if (line === '' || sign === '#') return;
    if (line[1] !== ' ') throw new Error(`${where}: a sign and a blank are expected, not ${JSON.stringify(line)}.`);
    if (sign === '>') {
      // Two notices of one millisecond would stand in the order of their ids.
      const before = Date.now();
      if (rest.includes(':publish-notice:')) await waitUntil('a millisecond is over', () => Date.now() > before);
      await this.#send(rest, where);
    } else if (sign === '<') compare(textOf(await this.#takeReply(where)), rest, where);
    else if (sign === '!') await this.#hear(rest, where);
    else if (sign === '@') this.#setClock(timeOf(rest, where));
    else throw new Error(`${where}: there is no sign ${JSON.stringify(sign)}.`);
  }

  /** Nothing may be left that the example does not show. */
  async finish(): Promise<void> {
    if (this.#reply) throw new Error('The last command has a reply that the example does not show.');
    // Whatever was still on its way comes before the answers to these, as far as commands with one step go.
    if (this.#listener) for (const number of ['1', '2']) await this.#ask(number);
    for (const [channel, messages] of this.#heard) {
      if (!channel.endsWith('async:_instances')) expect(messages, `left on ${channel}`).toEqual([]);
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  async #send(text: string, where: string): Promise<void> {
    if (this.#reply) throw new Error(`${where}: the command before has a reply that the example does not show.`);
    const { sender, waiter } = this.#connections;
    const args = argumentsOf(text, where);
    const [name, channel] = args as [string, string];
    if (name === 'SUBSCRIBE') {
      this.#listener ??= await createConnection(sender.options).connect();
      const messages: string[] = [];
      this.#heard.set(channel, messages);
      await this.#listener.subscribe(channel, (message) => messages.push(message));
    } else {
      this.#reply = (name === 'BLPOP' ? waiter : sender).commandForBuffers(...args);
      this.#reply.catch(() => undefined);
    }
  }

  async #ask(number: string): Promise<void> {
    await this.#listener?.subscribe(`async:${PROBE}-${number}`, () => this.#answered.push(number));
    await this.#connections.sender.command('PUBLISH', `ss:session-analytics:${PROBE}:${PROBE}-${number}.1`, '');
    await waitUntil('the service answers', () => this.#answered.includes(number), MESSAGE_DEADLINE_MS);
  }

  async #takeReply(where: string): Promise<unknown> {
    if (!this.#reply) throw new Error(`${where}: no command waits for a reply.`);
    const reply = this.#reply;
    this.#reply = undefined;
    return reply;
  }

  async #hear(text: string, where: string): Promise<void> {
    const [channel, message] = splitOnce(text);
    const messages = this.#heard.get(channel);
    if (!messages) throw new Error(`${where}: nobody subscribed to ${channel}.`);
    await waitUntil('a message came', () => messages.length > 0, MESSAGE_DEADLINE_MS).catch(() => {});
    compare(messages.shift() ?? '(no message)', message, where);
  }
}

/** How many arguments a command has; its last one takes the rest of the line. */
const ARGUMENTS: Readonly<Record<string, number>> = { PUBLISH: 2, BLPOP: 2, SUBSCRIBE: 1, EXISTS: 1, XLEN: 1 };

function argumentsOf(text: string, where: string): string[] {
  const [name, all] = splitOnce(text);
  if (name === 'XADD') return [name, ...all.split(' ').map((argument) => (argument === '""' ? '' : argument))];
  const count = ARGUMENTS[name];
  if (count === undefined) throw new Error(`${where}: no example may send ${name}.`);
  const args = [name];
  let rest = all;
  for (let i = 1; i < count; i += 1) {
    const [argument, others] = splitOnce(rest);
    args.push(argument);
    rest = others;
  }
  if (rest === '') throw new Error(`${where}: ${name} has ${count} arguments; write "" for an empty one.`);
  return [...args, rest === '""' ? '' : rest];
}

/** The session that a line of an example sends a request for. */
function sessionIn(line: string): string | undefined {
  const [, published, added] = /^> (?:PUBLISH (?:\w+:)?ss:[^:]*:([^:]*):|XADD \S+ .* s (\S+) )/.exec(line) ?? [];
  return published ?? added;
}

function splitOnce(text: string): [string, string] {
  const blank = text.indexOf(' ');
  return blank < 0 ? [text, ''] : [text.slice(0, blank), text.slice(blank + 1)];
}

/** A reply as it stands in an example. Throws where it is not UTF-8. */
function textOf(reply: unknown): string {
  if (reply === null) return '(nil)';
  if (typeof reply === 'number') return String(reply);
  if (Buffer.isBuffer(reply)) return reply.toString();
  // BLPOP: the key, the element.
  if (Array.isArray(reply)) return new TextDecoder('utf-8', { fatal: true }).decode(reply[1] as Buffer);
  throw new Error(`A reply that no example can show: ${String(reply)}`);
}

function compare(actual: string, expected: string, where: string): void {
  const parts = expected
    .split(/(<ms>|<id>|<entry>)/)
    .map((part) => PLACEHOLDERS[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  if (parts.length === 1) expect(actual, where).toBe(expected);
  else expect(actual, where).toMatch(new RegExp(`^${parts.join('')}$`));
}

/** What an example cannot know, and how it looks. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  '<ms>': '\\d{13}',
  '<id>': '[0-9a-f]{16}',
  '<entry>': '\\d{13}-\\d+',
};

function timeOf(text: string, where: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Error(`${where}: ${text} is no time.`);
  return time;
}

/** The fenced blocks of a document. */
function readBlocks(file: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { info: string; firstLine: number; lines: string[] } | undefined;
  for (const [i, line] of readFileSync(`${ROOT}${file}`, 'utf8').split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      blocks.push({ heading, ...open });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { info: fence[1]!.trim(), firstLine: i + 2, lines: [] };
    else if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
  }
  if (open) throw new Error(`${file}: the block of line ${open.firstLine} has no end.`);
  return blocks;
}
