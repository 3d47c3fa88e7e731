import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { heartbeatChannel, type InboxReply, inboxChannel, parseInboxMessage } from '../../protocol/index.ts';
import { isTransient, type RedisConnection } from '../../redis/index.ts';
import { OverlapLimiter } from '../overlap-limiter.ts';
import { type Overlap, Presence } from '../presence.ts';
import { NO_ANSWER, type NoAnswerReason, type Outcome } from '../transport.ts';
import { PendingRequests } from './pending-requests.ts';

/* reply-inbox.ts: one subscription per serving process carries all replies, `<n> <json>`, and the heartbeats of the
 * service. The inbox is subscribed before the first request is sent, so that no reply can be missed; a late one belongs to
 * no waiting request and is counted.
 *
 * In a Cluster a published message goes through every node. Where the servers have sharded channels (Redis 7, Valkey)
 * the inbox is one, on a connection of its own to the node that holds it. Failures of
 * other nodes do not affect it. */

// A failover takes longer, and a connection that was merely cut is back before.
const LOST_AFTER_MS = 1_000;
const NAMES_TO_TRY = 32;
const SUBSCRIBE_RETRY_MS = 50;

function newInbox(): string {
  return randomBytes(12).toString('base64url').replace(/^_/, '-');
}

interface InboxEvents {
  /** Replies or heartbeats can be received that could not before: `isReady` may have become true. */
  reachable: [];
  /** No instance serves a request that was sent, as far as is known. */
  unserved: [];
  /** At most one a second, and each pair of instances at most once a minute. */
  overlap: [Overlap];
  /** Redis does not let us subscribe: no reply can arrive. */
  refused: [Error];
}

/** Receives replies, and knows from heartbeats which instances can send them. */
export class ReplyInbox extends EventEmitter<InboxEvents> {
  readonly presence: Presence = new Presence();
  /** The first part of the request ids that are answered here. In a Cluster it becomes another one where its slot has had
   *  no master for a second. */
  id: string = newInbox();
  readonly #redis: RedisConnection;
  readonly #namespace: string;
  readonly #heartbeats: RedisConnection;
  #replies: RedisConnection;
  readonly #waiting = new PendingRequests();
  readonly #overlaps = new OverlapLimiter((overlap) => this.emit('overlap', overlap));
  #lastNumber = 0;
  #lateReplies = 0;
  #hasHeartbeats = false;
  #hasReplies = false;
  #moving: NodeJS.Timeout | undefined;
  #closed = false;
  #listeningSince = Number.POSITIVE_INFINITY;

  /** `redis`: the connection whose options its own connections share. */
  constructor(redis: RedisConnection, namespace: string) {
    super();
    this.#redis = redis;
    this.#namespace = namespace;
    this.#heartbeats = redis.duplicateFor(heartbeatChannel(namespace), 'sessionwise-inbox');
    this.#replies = redis.spreadsPublished ? this.#openReplies() : this.#heartbeats;
    this.#heartbeats.on('lost', () => {
      this.#listeningSince = Number.POSITIVE_INFINITY;
    });
    this.#heartbeats.on('ready', () => {
      this.#listeningSince = performance.now();
    });
    // The connection subscribes again by itself after it was lost; only the first time is ours.
    this.#heartbeats.once('ready', () => void this.#subscribeHeartbeats());
    if (this.#replies === this.#heartbeats) this.#replies.once('ready', () => void this.#subscribeReplies());
    this.#heartbeats.on('reachable', this.#onReachable);
    this.#heartbeats.open();
  }

  /** Replies that came after their deadline, and were ignored. */
  get lateReplies(): number {
    return this.#lateReplies;
  }

  /** Whether replies and heartbeats would arrive now. */
  get isReady(): boolean {
    return this.canReceive && this.#hasHeartbeats && this.#heartbeats.isReady;
  }

  /** For how long heartbeats would have arrived, in milliseconds; 0 while they would not. */
  get listeningMs(): number {
    return this.#hasHeartbeats ? Math.max(0, performance.now() - this.#listeningSince) : 0;
  }

  /** A number that no other request of this process has. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** Sends a request and waits for its reply, at most `deadlineMs`. `send` gets the request's id; where it resolves with
   *  a reason, or rejects, nothing is waited for. Where no reply could arrive, `publish` is done in its place: a view
   *  without a waiting page is still a view. Never rejects. */
  exchange(
    deadlineMs: number,
    publish: (() => Promise<unknown>) | undefined,
    send: (request: string) => Promise<NoAnswerReason | undefined>,
  ): Promise<Outcome> {
    if (!this.canReceive) {
      void publish?.();
      return Promise.resolve(NO_ANSWER.disconnected);
    }
    const number = this.nextNumber();
    const outcome = this.await(number, deadlineMs);
    send(`${this.id}.${number}`).then(
      (reason) => reason && this.giveUp(number, reason),
      () => this.giveUp(number, 'disconnected'),
    );
    return outcome;
  }

  /** Waits for the reply to a request that is sent under `<id>.<number>`, at most `deadlineMs`. */
  await(number: number, deadlineMs: number): Promise<Outcome> {
    return this.#waiting.add(number, deadlineMs);
  }

  /** Notes that a service was given a request. */
  noteTaken(number: number): void {
    this.#waiting.noteTaken(number);
  }

  /** Waits no longer for a reply. */
  giveUp(number: number, reason: NoAnswerReason): void {
    this.#waiting.settle(number, NO_ANSWER[reason]);
  }

  /** Settles waiting requests and ends the subscriptions. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#moving);
    this.#overlaps.stop();
    this.#waiting.settleAll(NO_ANSWER.disconnected);
    await Promise.all(this.#connections().map((connection) => connection.close()));
  }

  /** Whether replies would arrive now. */
  get canReceive(): boolean {
    return this.#hasReplies && this.#replies.isReady;
  }

  readonly #onReachable = (): void => {
    this.emit('reachable');
  };

  #openReplies(): RedisConnection {
    const replies = this.#redis.duplicateFor(inboxChannel(this.#namespace, this.id), 'sessionwise-replies');
    replies.on('lost', () => {
      this.#moving ??= setTimeout(() => this.#moveWhereLost(), LOST_AFTER_MS).unref();
    });
    replies.once('ready', () => void this.#subscribeReplies());
    replies.on('reachable', this.#onReachable);
    replies.open();
    return replies;
  }

  // The slot of the inbox may be without a master for long, and the masters of the sessions be well: then the inbox
  // gets another name, whose slot has one.
  #moveWhereLost(): void {
    this.#moving = undefined;
    if (this.#closed || this.#replies.isReady) return;
    const names = Array.from({ length: NAMES_TO_TRY }, newInbox);
    const name = names.find((inbox) => this.#redis.isReadyFor(inboxChannel(this.#namespace, inbox)));
    if (name === undefined) return;
    this.#waiting.settleAll(NO_ANSWER.disconnected);
    this.#replies.destroy();
    this.#hasReplies = false;
    this.id = name;
    this.#replies = this.#openReplies();
  }

  #connections(): RedisConnection[] {
    return this.#replies === this.#heartbeats ? [this.#heartbeats] : [this.#heartbeats, this.#replies];
  }

  async #subscribeHeartbeats(): Promise<void> {
    try {
      await this.#heartbeats.subscribe(heartbeatChannel(this.#namespace), (message) => this.#onHeartbeat(message));
      this.#hasHeartbeats = true;
      this.#listeningSince = performance.now();
      this.#onReachable();
    } catch (error) {
      this.#reportRefusal(error);
      this.#later(this.#heartbeats, error, () => this.#subscribeHeartbeats());
    }
  }

  async #subscribeReplies(): Promise<void> {
    const replies = this.#replies;
    const channel = inboxChannel(this.#namespace, this.id);
    const listener = (message: string): void => {
      for (const reply of parseInboxMessage(message)) this.#onReply(reply);
    };
    try {
      if (replies === this.#heartbeats) await replies.subscribe(channel, listener);
      else {
        await replies.subscribeSharded(channel, listener).catch((error: Error) => {
          if (!/unknown command/i.test(error.message)) throw error;
          return replies.subscribe(channel, listener);
        });
      }
      if (replies !== this.#replies) return;
      this.#hasReplies = true;
      this.#onReachable();
    } catch (error) {
      if (replies !== this.#replies) return;
      this.#reportRefusal(error);
      this.#later(replies, error, () => this.#subscribeReplies());
    }
  }

  // Where Redis refused it for a while (BUSY) the connection stands, and no `ready` would follow.
  #later(connection: RedisConnection, error: unknown, subscribe: () => Promise<void>): void {
    if (this.#closed) return;
    // The inbox may have moved meanwhile, and subscribed there.
    const again = (): void => {
      if (connection === this.#heartbeats || connection === this.#replies) void subscribe();
    };
    if (connection.isReady && isTransient(error)) setTimeout(again, SUBSCRIBE_RETRY_MS).unref();
    else connection.once('ready', again);
  }

  #reportRefusal(error: unknown): void {
    if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) this.emit('refused', error);
  }

  #onHeartbeat(message: string): void {
    const arrived = this.presence.receive(message);
    if (arrived) for (const overlap of this.presence.overlapping(arrived)) this.#overlaps.offer(overlap);
  }

  #onReply(reply: InboxReply | undefined): void {
    const isAwaited = reply && this.#waiting.settle(reply.number, { answered: true, json: reply.json });
    if (!isAwaited) this.#lateReplies += 1;
  }
}
