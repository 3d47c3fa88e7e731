import { LATENCY_BOUNDS_S } from '../protocol/internal/index.ts';
import { Counter, type CounterSeries } from './prometheus/counter.ts';
import { Gauge } from './prometheus/gauge.ts';
import { Histogram, type HistogramSeries } from './prometheus/histogram.ts';
import { Registry } from './prometheus/registry.ts';

/** Values of the gauges, read when they are collected. */
export interface CurrentFigures {
  inFlight(): number;
  overlap(): number;
  instances(): number;
  archiveWaiting(): number;
  ownedPartitions(): number;
  backlog(): number;
  /** How many subjects saw and read the newest notices of lists, as estimates. */
  reach(): Promise<readonly NoticeReachFigure[]>;
  /** How often each configured suggestion was marked, by what was done with it. */
  suggestionMarks(): ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** For how many subjects each segment held today, as estimates. */
  segments(): Promise<readonly (readonly [segment: string, subjects: number])[]>;
}

/** How many subjects a notice of a list has reached. */
export interface NoticeReachFigure {
  readonly notice: string;
  readonly seen: number;
  readonly read: number;
}

interface CommandSeries {
  readonly requests: CounterSeries;
  readonly seconds: HistogramSeries;
}

/** Counts what the service does, in the form of Prometheus. One registry an instance, so that two can run in a process. */
export class Metrics {
  readonly registry: Registry = new Registry();
  #current: CurrentFigures | undefined;
  readonly requests: Counter<'command'> = this.#counter('requests_total', 'Requests of known commands.', 'command');
  readonly errors: Counter<'command' | 'code'> = this.#counter('errors_total', 'Error replies.', 'command', 'code');
  readonly refused: Counter<'reason'> = this.#counter(
    'refused_total',
    'Messages that were counted and not served.',
    'reason',
  );
  readonly unclaimed: Counter = this.#counter('replies_unclaimed_total', 'Replies that no caller claimed.');
  readonly replyFailures: Counter = this.#counter('reply_failures_total', 'Replies that could not be sent.');
  readonly timesIgnored: Counter = this.#counter(
    'times_ignored_total',
    'Page views whose "at" was ignored: no --accept-times.',
  );
  readonly streamRequests: Counter<'outcome'> = this.#counter(
    'stream_requests_total',
    'Requests that came over streams: done, repeated (sent twice, done once), dead-letter (failed for good), unanswered (done after their deadline).',
    'outcome',
  );
  readonly noticeEvents: Counter<'event'> = this.#counter(
    'notice_events_total',
    'Events of notices that were written into the stream: published, edited, withdrawn, marked, settled, suggested.',
    'event',
  );
  readonly noticeEventsLost: Counter = this.#counter(
    'notice_events_lost_total',
    'Events of notices that Redis did not take.',
  );
  readonly noticeMarks: Counter<'as'> = this.#counter(
    'notice_marks_total',
    'Notices that visitors marked: seen, read, unread, dismissed.',
    'as',
  );
  readonly archived: Counter = this.#counter('archived_total', 'Ended sessions that were archived.');
  readonly archiveFailures: Counter = this.#counter(
    'archive_failures_total',
    'Tries to archive a session that failed; each is tried again.',
  );
  readonly pairSubjects: Counter<'outcome'> = this.#counter(
    'live_pairs_subjects_total',
    'Subjects whose registered names were looked at: counted, crowded (saw too many names), left-out (too many subjects at once), failed.',
    'outcome',
  );
  readonly robotRequests: Counter = this.#counter(
    'robot_requests_total',
    'Requests of known robots that serving processes have told; nothing else is known of them.',
  );
  readonly seconds: Histogram<'command'> = this.registry.add(
    new Histogram({
      name: 'sessionwise_request_seconds',
      help: 'From a request received to its answer ready.',
      labelNames: ['command'],
      bounds: LATENCY_BOUNDS_S,
    }),
  );
  readonly overlap: Gauge = this.#gauge(
    'overlap',
    'Other instances that serve some of the same sessions: views count twice.',
    (current) => current.overlap(),
  );
  readonly instances: Gauge = this.#gauge('instances', 'Instances that are there, this one included.', (current) =>
    current.instances(),
  );
  readonly inFlight: Gauge = this.#gauge('in_flight', 'Requests in hand.', (current) => current.inFlight());
  readonly ownedPartitions: Gauge = this.#gauge(
    'owned_partitions',
    'Partitions whose streams this instance works off, of 64.',
    (current) => current.ownedPartitions(),
  );
  readonly backlog: Gauge = this.#gauge(
    'backlog',
    'Requests that wait in the streams of owned partitions.',
    (current) => current.backlog(),
  );
  readonly archiveWaiting: Gauge = this.#gauge(
    'archive_waiting',
    'Ended sessions that wait for the archive; 0 on all instances but the one that archives now.',
    (current) => current.archiveWaiting(),
  );
  readonly noticeReach: Gauge<'notice' | 'did'> = this.#reachGauge();
  readonly suggestionMarks: Counter<'rule' | 'as'> = this.#suggestionCounter();
  readonly segmentSubjects: Gauge<'segment'> = this.#segmentGauge();
  readonly #ofCommand = new Map<string, CommandSeries>();

  /** Counts a request of a command. The labels are looked up once: that is most of what counting costs. */
  served(command: string, seconds: number): void {
    const counts = this.#countsOf(command);
    counts.requests.inc();
    counts.seconds.observe(seconds);
  }

  /** Counts a part of a `together`. */
  partServed(command: string): void {
    this.#countsOf(command).requests.inc();
  }

  #countsOf(command: string): CommandSeries {
    let counts = this.#ofCommand.get(command);
    if (!counts) {
      counts = { requests: this.requests.labels({ command }), seconds: this.seconds.labels({ command }) };
      this.#ofCommand.set(command, counts);
    }
    return counts;
  }

  /** Tells the gauges where to read. Until then they show 0. */
  show(current: CurrentFigures): void {
    this.#current = current;
  }

  #counter<Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return this.registry.add(new Counter({ name: `sessionwise_${name}`, help, labelNames }));
  }

  // Of a bounded number of notices; those of before are dropped.
  #reachGauge(): Gauge<'notice' | 'did'> {
    const gauge: Gauge<'notice' | 'did'> = new Gauge({
      name: 'sessionwise_notice_reach',
      help: 'About how many sessions and persons saw and read the newest notices of groups and segments.',
      labelNames: ['notice', 'did'],
      collect: async () => {
        const reach = (await this.#current?.reach()) ?? [];
        gauge.reset();
        for (const { notice, seen, read } of reach) {
          gauge.set({ notice, did: 'seen' }, seen);
          gauge.set({ notice, did: 'read' }, read);
        }
      },
    });
    return this.registry.add(gauge);
  }

  // Of the rules that are configured now; those of before are dropped.
  #suggestionCounter(): Counter<'rule' | 'as'> {
    const counter: Counter<'rule' | 'as'> = new Counter({
      name: 'sessionwise_suggestion_marks_total',
      help: 'Suggestions that pages marked: shown, taken, dismissed.',
      labelNames: ['rule', 'as'],
      collect: () => {
        counter.reset();
        for (const [rule, marks] of this.#current?.suggestionMarks() ?? []) {
          for (const [as, count] of Object.entries(marks)) counter.inc({ rule, as }, count);
        }
      },
    });
    return this.registry.add(counter);
  }

  #segmentGauge(): Gauge<'segment'> {
    const gauge: Gauge<'segment'> = new Gauge({
      name: 'sessionwise_segment_subjects',
      help: 'About how many sessions and persons each segment held for today (UTC), of those that were asked about.',
      labelNames: ['segment'],
      collect: async () => {
        const all = (await this.#current?.segments()) ?? [];
        gauge.reset();
        for (const [segment, subjects] of all) gauge.set({ segment }, subjects);
      },
    });
    return this.registry.add(gauge);
  }

  #gauge(name: string, help: string, read: (current: CurrentFigures) => number): Gauge {
    const gauge: Gauge = new Gauge({
      name: `sessionwise_${name}`,
      help,
      collect: () => gauge.set({}, this.#current ? read(this.#current) : 0),
    });
    return this.registry.add(gauge);
  }
}
