import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the service counts, as Prometheus reads it. One registry an instance, so that two can run in a process. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly requests: Counter<'command'>;
  readonly errors: Counter<'command' | 'code'>;
  readonly seconds: Histogram<'command'>;
  readonly refused: Counter<'reason'>;
  readonly untaken: Counter;
  readonly replyFailures: Counter;
  readonly timesIgnored: Counter;
  readonly overlap: Gauge;
  readonly instances: Gauge;
  readonly inFlight: Gauge;
  readonly streamRequests: Counter<'outcome'>;
  readonly ownedPartitions: Gauge;
  readonly backlog: Gauge;
  readonly archived: Counter;
  readonly archiveFailures: Counter;
  readonly archiveWaiting: Gauge;
  readonly #ofCommand = new Map<string, { requests: Counter.Internal; seconds: Histogram.Internal<'command'> }>();

  constructor(current: {
    inFlight(): number;
    overlap(): number;
    instances(): number;
    archiveWaiting(): number;
    ownedPartitions(): number;
    backlog(): number;
  }) {
    const registers = [this.registry];
    const counter = <Label extends string = never>(
      name: string,
      help: string,
      labelNames: Label[] = [],
    ): Counter<Label> => new Counter({ name: `sessionwise_${name}`, help, labelNames, registers });
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name: `sessionwise_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    this.requests = counter('requests_total', 'Requests of known commands.', ['command']);
    this.errors = counter('errors_total', 'Error replies.', ['command', 'code']);
    this.refused = counter('refused_total', 'Messages that were counted and not served.', ['reason']);
    this.untaken = counter('replies_untaken_total', 'Replies that nobody took.');
    this.replyFailures = counter('reply_failures_total', 'Replies that could not be sent.');
    this.timesIgnored = counter('times_ignored_total', 'Page views whose "at" was ignored: no --accept-times.');
    this.overlap = gauge(
      'overlap',
      'Other instances that serve some of the same sessions: views count twice.',
      current.overlap,
    );
    this.instances = gauge('instances', 'Instances that are there, this one included.', current.instances);
    this.inFlight = gauge('in_flight', 'Requests in hand.', current.inFlight);
    this.streamRequests = counter(
      'stream_requests_total',
      'Requests that came over streams: done, repeated (sent twice, done once), dead-letter (given up), unanswered (done after their deadline).',
      ['outcome'],
    );
    this.ownedPartitions = gauge(
      'owned_partitions',
      'Partitions whose streams this instance works off, of 64.',
      current.ownedPartitions,
    );
    this.backlog = gauge('backlog', 'Requests that wait in the streams of owned partitions.', current.backlog);
    this.archived = counter('archived_total', 'Ended sessions that were archived.');
    this.archiveFailures = counter(
      'archive_failures_total',
      'Tries to archive a session that failed; each is tried again.',
    );
    this.archiveWaiting = gauge(
      'archive_waiting',
      'Ended sessions that wait for the archive; 0 on all instances but the one that archives now.',
      current.archiveWaiting,
    );
    this.seconds = new Histogram({
      name: 'sessionwise_request_seconds',
      help: 'From a request heard to its answer ready.',
      labelNames: ['command'],
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
      registers,
    });
  }

  /** Counts a request of a command. The labels are looked up once: that is most of what counting costs. */
  served(command: string, seconds: number): void {
    let counts = this.#ofCommand.get(command);
    if (!counts) {
      counts = { requests: this.requests.labels(command), seconds: this.seconds.labels(command) };
      this.#ofCommand.set(command, counts);
    }
    counts.requests.inc();
    counts.seconds.observe(seconds);
  }
}
