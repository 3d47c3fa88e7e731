import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What passed through a proxy from one connection to the server. */
interface Passage {
  readonly client: Socket;
  readonly server: Socket;
  /** What CLIENT SETNAME or HELLO called it. */
  name: string;
}

/** A wire between clients and a real Redis that notes each command, and that can be cut or stopped. */
export interface RedisProxy {
  readonly url: string;
  /** Commands since the last `reset()`, in order: the name in upper case and what follows, by the connection's name. */
  commands(connectionName?: string): string[][];
  /** How many times a connection sent something after the server had answered all that came before. */
  roundTrips(connectionName?: string): number;
  reset(): void;
  /** Ends connections whose name begins with `connectionName`; new ones come through. How many it were. */
  cut(connectionName?: string): number;
  /** Holds back what connections whose name begins with `connectionName` send, until the returned function is called. */
  hold(connectionName: string): () => void;
  close(): Promise<void>;
}

/** Starts a proxy to the server behind a Unix socket. */
export async function startRedisProxy(socketPath: string): Promise<RedisProxy> {
  const passages = new Set<Passage>();
  let seen: { passage: Passage; command: string[] }[] = [];
  let trips: Passage[] = [];

  const server = createServer({ noDelay: true }, (client) => {
    const passage: Passage = { client, server: connect(socketPath), name: '' };
    passages.add(passage);
    let unread = Buffer.alloc(0);
    let answered = true;
    client.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (let read = readCommand(unread); read; read = readCommand(unread)) {
        unread = unread.subarray(read.length);
        const [name = '', ...rest] = read.command;
        if (name.toUpperCase() === 'CLIENT' && rest[0]?.toUpperCase() === 'SETNAME') passage.name = rest[1] ?? '';
        const named = rest.findIndex((arg) => arg.toUpperCase() === 'SETNAME');
        if (name.toUpperCase() === 'HELLO' && named >= 0) passage.name = rest[named + 1] ?? '';
        seen.push({ passage, command: [name.toUpperCase(), ...rest] });
      }
      if (answered) trips.push(passage);
      answered = false;
      passage.server.write(chunk);
    });
    passage.server.on('data', (chunk) => {
      answered = true;
      client.write(chunk);
    });
    const end = () => {
      passages.delete(passage);
      client.destroy();
      passage.server.destroy();
    };
    for (const socket of [client, passage.server]) socket.on('close', end).on('error', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const isNamed = (passage: Passage, name: string) => passage.name.startsWith(name);
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    commands: (name = '') => seen.filter(({ passage }) => isNamed(passage, name)).map(({ command }) => command),
    roundTrips: (name = '') => trips.filter((passage) => isNamed(passage, name)).length,
    reset() {
      seen = [];
      trips = [];
    },
    cut(name = '') {
      const cut = [...passages].filter((passage) => isNamed(passage, name));
      for (const { client, server: upstream } of cut) {
        client.destroy();
        upstream.destroy();
      }
      return cut.length;
    },
    hold(name) {
      const held = [...passages].filter((passage) => isNamed(passage, name));
      for (const { client } of held) client.pause();
      return () => {
        for (const { client } of held) client.resume();
      };
    },
    async close() {
      for (const { client, server: upstream } of passages) {
        client.destroy();
        upstream.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

/** The first whole command of a client's bytes: an array of bulk strings. */
function readCommand(bytes: Buffer): { command: string[]; length: number } | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const count = Number(line()?.slice(1) ?? Number.NaN);
  if (Number.isNaN(count)) return undefined;
  const command: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const size = Number(line()?.slice(1) ?? Number.NaN);
    if (Number.isNaN(size) || bytes.length < at + size + 2) return undefined;
    command.push(bytes.toString('utf8', at, at + size));
    at += size + 2;
  }
  return { command, length: at };
}
