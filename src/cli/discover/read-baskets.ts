import { BasketStore, DiscoverError, type MemoryBudget, VisitorBaskets } from '../../discover/index.ts';
import { normalizeItem } from '../../protocol/index.ts';
import { parseLogLine } from '../replay/log-line.ts';
import { openLog } from '../replay/read-log.ts';
import { parseCsvLine, parseJsonLine } from './basket-line.ts';
import { isDocumentRequest } from './document-request.ts';

/** The longest line of baskets that is read, in bytes: 10,000 items of a thousand bytes. */
export const MAX_BASKET_BYTES: number = 16 * 1024 * 1024;

/** Forms of a file of baskets. */
export const BASKET_FORMATS = ['auto', 'csv', 'json', 'log'] as const;
export type BasketFormat = (typeof BASKET_FORMATS)[number];

/** How a file is read. */
export interface ReadOptions {
  readonly format: BasketFormat;
  /** The character between the items of a line of CSV. */
  readonly delimiter: string;
  /** Of a log: whether all requests count, and not only views of pages by persons. */
  readonly allRequests: boolean;
}

/** What was read of a file. */
export interface BasketFile {
  readonly name: string;
  readonly format: Exclude<BasketFormat, 'auto'>;
  readonly store: BasketStore;
  /** Lines that hold no basket, or no request of a page; the number of the first, from 1 on. */
  readonly skippedLines: number;
  readonly firstSkipped: number | undefined;
  /** Of a log: requests that are no views of pages by persons. */
  readonly otherRequests: number;
  /** Items that cannot be used: too long, or no text. */
  readonly unusableItems: number;
}

/** Reads a file of baskets, or an access log whose visitors are the baskets: plain or gzip, `-` for standard input.
 *  @throws DiscoverError `BASKETS_UNREADABLE`, or `DISCOVERY_TOO_LARGE` where the memory does not suffice. */
export async function readBaskets(file: string, options: ReadOptions, budget: MemoryBudget): Promise<BasketFile> {
  const makeError = (message: string): Error => new DiscoverError('BASKETS_UNREADABLE', `The file ${message}`);
  const log = await openLog(file, { maxLineBytes: MAX_BASKET_BYTES, makeError });
  const reader = new BasketReader(options, budget);
  try {
    for await (const line of log.lines) reader.line(line);
  } finally {
    log.close();
  }
  return reader.finish(log.name);
}

class BasketReader {
  readonly #options: ReadOptions;
  readonly #store: BasketStore;
  readonly #visitors: VisitorBaskets;
  #format: BasketFormat;
  #lines = 0;
  #skippedLines = 0;
  #firstSkipped: number | undefined;
  #otherRequests = 0;
  #unusableItems = 0;

  constructor(options: ReadOptions, budget: MemoryBudget) {
    this.#options = options;
    this.#format = options.format;
    this.#store = new BasketStore(budget);
    this.#visitors = new VisitorBaskets(this.#store, budget);
  }

  /** Reads a line, as bytes in latin1; undefined for one that is too long. */
  line(raw: string | undefined): void {
    this.#lines += 1;
    const line = this.#lines === 1 ? raw?.replace(/^\u00ef\u00bb\u00bf/, '') : raw; // the mark that some programs write first
    if (line !== undefined && line.trim() === '') return;
    if (line === undefined || !this.#take(line)) {
      this.#skippedLines += 1;
      this.#firstSkipped ??= this.#lines;
    }
  }

  finish(name: string): BasketFile {
    this.#visitors.finish();
    return {
      name,
      format: this.#format === 'auto' ? 'csv' : this.#format,
      store: this.#store,
      skippedLines: this.#skippedLines,
      firstSkipped: this.#firstSkipped,
      otherRequests: this.#otherRequests,
      unusableItems: this.#unusableItems,
    };
  }

  #take(line: string): boolean {
    if (this.#format === 'auto') this.#format = formatOf(line);
    if (this.#format === 'log') return this.#takeRequest(line);
    if (line.includes('\0')) return false; // no text
    const text = Buffer.from(line, 'latin1').toString('utf8').trim();
    const items = this.#format === 'json' ? parseJsonLine(text) : parseCsvLine(text, this.#options.delimiter);
    if (!items) return false;
    this.#store.add(this.#numbersOf(items));
    return true;
  }

  #takeRequest(line: string): boolean {
    const request = parseLogLine(line);
    if (!request) return false;
    if (!this.#options.allRequests && !isDocumentRequest(request)) this.#otherRequests += 1;
    else this.#visitors.note(`${request.ip}\0${request.userAgent}`, request.path);
    return true;
  }

  *#numbersOf(items: readonly string[]): Generator<number> {
    for (const item of items) {
      const trimmed = item.trim();
      if (trimmed === '') continue;
      const name = usableName(trimmed);
      if (name === undefined) this.#unusableItems += 1;
      else yield this.#store.numberOf(name);
    }
  }
}

// Named as the service names it, so that a rule of it can hold.
function usableName(item: string): string | undefined {
  try {
    return normalizeItem(item);
  } catch {
    return undefined;
  }
}

function formatOf(line: string): Exclude<BasketFormat, 'auto'> {
  if (parseLogLine(line)) return 'log';
  return /^\s*[[{]/.test(line) && parseJsonLine(line) ? 'json' : 'csv';
}
