import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Values of the gauges, read when they are collected. */
export interface CurrentFigures {
  inFlight(): number;
  overlap(): number;
  instances(): number;
  archiveWaiting(): number;
  ownedPartitions(): number;
  backlog(): number;
}

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

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
  readonly archived: Counter = this.#counter('archived_total', 'Ended sessions that were archived.');
  readonly archiveFailures: Counter = this.#counter(
    'archive_failures_total',
    'Tries to archive a session that failed; each is tried again.',
  );
  readonly seconds: Histogram<'command'> = new Histogram({
    name: 'sessionwise_request_seconds',
    help: 'From a request received to its answer ready.',
    labelNames: ['command'],
    buckets: SECONDS,
    registers: [this.registry],
  });
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
  readonly #ofCommand = new Map<string, { requests: Counter.Internal; seconds: Histogram.Internal<'command'> }>();

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

  #countsOf(command: string): { readonly requests: Counter.Internal; readonly seconds: Histogram.Internal<'command'> } {
    let counts = this.#ofCommand.get(command);
    if (!counts) {
      counts = { requests: this.requests.labels(command), seconds: this.seconds.labels(command) };
      this.#ofCommand.set(command, counts);
    }
    return counts;
  }

  /** Tells the gauges where to read. Until then they show 0. */
  show(current: CurrentFigures): void {
    this.#current = current;
  }

  #counter<Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `sessionwise_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, read: (current: CurrentFigures) => number): Gauge {
    const figure = (): number => (this.#current ? read(this.#current) : 0);
    return new Gauge({
      name: `sessionwise_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(figure());
      },
    });
  }
}
