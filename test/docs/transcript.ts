import { WebSocket } from 'ws';

/* transcript.ts: what a document shows of a running site, as requests: a line `$ visit ...` or `$ curl ...`, and the answer
 * below it. `visit` is curl with a jar of cookies and the name of a browser; `visit-as NAME` has a jar of its own. `socket ADDRESS` opens a
 * websocket with the jar of `visit` and shows its first message, or the status of the refusal. The options are curl's: -H, -X, -d (a form, or JSON with --json), -i shows the status in front of the body. */

/** One request of a transcript, with the answer that the document shows. `...` in it stands for anything. */
export interface Exchange {
  readonly command: string;
  readonly expected: string;
}

const BROWSER = 'Mozilla/5.0 Firefox/130.0';

/** The requests of a block; empty where it is no transcript. */
export function exchangesOf(text: string): Exchange[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.trimEnd().split('\n');
      return { command: command.replace(/ +# .*$/, ''), expected: lines.join('\n') };
    })
    .filter(({ command }) => !command.startsWith('alias '));
}

/** Sends the requests of a transcript to a site, with cookies as a browser keeps them. */
export class Visitors {
  readonly #url: string;
  readonly #jars = new Map<string, Map<string, string>>();
  readonly #variables = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends one request; its answer, as the document shows it. `NAME=$(curl ...)` shows none, and later requests may say
   *  `$NAME`. */
  async send(command: string): Promise<string> {
    const [, name, inner] = /^(\w+)=\$\((.*)\)$/.exec(command) ?? [];
    if (name === undefined)
      return this.#request(command.replace(/\$(\w+)/g, (text, each) => this.#variables.get(each) ?? text));
    this.#variables.set(name, await this.#request(inner!));
    return '';
  }

  async #request(command: string): Promise<string> {
    const words = (command.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
    const name = words.shift() ?? '';
    const jar = name === 'visit' ? 'own' : /^visit-as$/.test(name) ? words.shift() : undefined;
    if (jar === undefined && name !== 'curl' && name !== 'socket')
      throw new Error(`A transcript has no command ${name}.`);
    const headers = new Headers(jar === undefined ? {} : { 'user-agent': BROWSER });
    let method: string | undefined;
    let body: string | undefined;
    let path: string | undefined;
    let showsStatus = false;
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      if (word === '-H') headers.set(...splitHeader(words.shift() ?? ''));
      else if (word === '-X') method = words.shift();
      else if (word === '-i') showsStatus = true;
      else if (word === '-d' || word === '--json') {
        body = words.shift() ?? '';
        headers.set('content-type', word === '-d' ? 'application/x-www-form-urlencoded' : 'application/json');
      } else path = word.replace(/^(?:(?:http|ws):\/\/)?localhost:\d+/, '');
    }
    if (path === undefined || path.startsWith('-')) throw new Error(`${command}: it has no address.`);
    if (name === 'socket') return this.#openSocket(path);
    const cookies = this.#jarOf(jar);
    if (cookies?.size) headers.set('cookie', [...cookies].map(([key, value]) => `${key}=${value}`).join('; '));
    const response = await fetch(`${this.#url}${path || '/'}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
      ...(body !== undefined && { body }),
    });
    for (const line of response.headers.getSetCookie()) keep(cookies, line);
    const text = (await response.text()).trimEnd();
    return showsStatus ? `${response.status} ${text}`.trim() : text;
  }

  #openSocket(path: string): Promise<string> {
    const cookie = [...(this.#jarOf('own') ?? [])].map(([key, value]) => `${key}=${value}`).join('; ');
    const origin = this.#url.replace('127.0.0.1', 'localhost');
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}${path}`, { origin, headers: { cookie } });
    return new Promise((resolve, reject) => {
      socket.once('message', (data) => resolve(String(data)));
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
      socket.once('error', reject);
    });
  }

  #jarOf(name: string | undefined): Map<string, string> | undefined {
    if (name === undefined) return undefined;
    const jar = this.#jars.get(name) ?? new Map<string, string>();
    this.#jars.set(name, jar);
    return jar;
  }
}

/** Whether an answer is what the document shows. */
export function isShown(answer: string, expected: string): boolean {
  const escaped = expected.split('...').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[\\s\\S]*')}$`).test(answer);
}

function splitHeader(line: string): [string, string] {
  const [name = '', ...value] = line.split(':');
  return [name.trim(), value.join(':').trim()];
}

function keep(jar: Map<string, string> | undefined, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf('='));
  const isGone = attributes.some((each) => /^max-age=0$/i.test(each) || /^expires=.*\b1970\b/i.test(each));
  if (isGone) jar?.delete(name);
  else jar?.set(name, pair.slice(name.length + 1));
}
