import { isBefore, type LiveEvent, timeOf } from './live-event.ts';

const MOST_KEPT = 1_000;

/** The last events of a namespace, as far as this process has heard them. */
export class RecentEvents {
  readonly #events: LiveEvent[] = [];
  /** All that happened behind it is known. */
  #knownFrom: string | undefined;
  /** Notices that were shown as soon as they were published, by id and time. */
  readonly #shownAtOnce = new Set<string>();

  /** Begins anew: all that happens behind an event will be added. Default: from the next one on that is added. */
  begin(id?: string): void {
    this.#events.length = 0;
    this.#shownAtOnce.clear();
    this.#knownFrom = id;
  }

  add(event: LiveEvent): void {
    this.#knownFrom ??= event.id;
    this.#events.push(event);
    if (isShownAtOnce(event)) this.#shownAtOnce.add(nameOf(event.notice));
    if (this.#events.length <= MOST_KEPT) return;
    const dropped = this.#events.shift()!;
    this.#knownFrom = dropped.id;
    if (isShownAtOnce(dropped)) this.#shownAtOnce.delete(nameOf(dropped.notice));
  }

  /** Returns what happened behind an event; undefined where that is not all known. */
  since(id: string): readonly LiveEvent[] | undefined {
    if (this.#knownFrom === undefined || isBefore(id, this.#knownFrom)) return undefined;
    return this.#events.filter((event) => isBefore(id, event.id));
  }

  /** Returns the suggestions since a time, in milliseconds of the epoch by Redis's clock, up to an event. */
  suggestedSince(time: number, id: string): readonly LiveEvent[] {
    return this.#events.filter(
      (event) => event.event === 'suggested' && timeOf(event.id) >= time && !isBefore(id, event.id),
    );
  }

  /** Whether a notice was told when it was published. */
  wasToldAtOnce(notice: { readonly id: string; readonly at: number }): boolean {
    return this.#shownAtOnce.has(nameOf(notice));
  }
}

function isShownAtOnce(event: LiveEvent): event is LiveEvent & { readonly event: 'published' } {
  return event.event === 'published' && event.notice.at <= timeOf(event.id);
}

/** What tells a notice apart from others, and from the same id that is published again. */
export function nameOf({ id, at }: { readonly id: string; readonly at: number }): string {
  return `${at} ${id}`;
}
