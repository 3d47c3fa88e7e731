import { once } from 'node:events';
import { get, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { waitUntil } from './wait-until.ts';

interface Told {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly id: string | undefined;
}

/** Listens to a stream of server-sent events, as a browser does, but for coming back. */
export class EventListener {
  readonly told: Told[] = [];
  status = 0;
  headers: IncomingHttpHeaders = {};
  hasEnded = false;
  #answer: IncomingMessage | undefined;

  /** Opens the stream; resolves at the head of its answer. */
  async open(url: string, headers: OutgoingHttpHeaders = {}): Promise<this> {
    const all = { accept: 'text/event-stream', ...headers };
    const [answer] = (await once(get(url, { headers: all, agent: false }), 'response')) as [IncomingMessage];
    this.#answer = answer;
    this.status = answer.statusCode ?? 0;
    this.headers = answer.headers;
    let text = '';
    answer.on('data', (chunk) => {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#read(text.slice(0, end));
        text = text.slice(end + 2);
      }
    });
    answer.on('error', () => undefined);
    answer.on('close', () => {
      this.hasEnded = true;
    });
    return this;
  }

  /** The id of the last event that had one. */
  get lastId(): string | undefined {
    return this.told.findLast(({ id }) => id !== undefined)?.id;
  }

  /** The data of all events of a name. */
  of(event: string): Record<string, unknown>[] {
    return this.told.filter((each) => each.event === event).map(({ data }) => data);
  }

  /** Waits for the `count`th event of a name; all that came before it is there too. */
  async until(event: string, count = 1): Promise<Record<string, unknown>> {
    await waitUntil(`${count} x ${event}`, () => this.of(event).length >= count);
    return this.of(event)[count - 1]!;
  }

  close(): void {
    this.#answer?.destroy();
  }

  #read(block: string): void {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
    );
    if (fields.event) this.told.push({ event: fields.event, data: JSON.parse(fields.data!), id: fields.id });
  }
}
