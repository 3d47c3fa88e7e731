import { inboxChannel, inboxMessage, type ReplyWay, replyKey, type Topic } from '../protocol/index.ts';
import type { RedisConnection } from '../redis/index.ts';
import { ReplyLists } from './reply-lists.ts';

/** The service's replies, sent the way that the request's id asks for. */
export class Replies {
  readonly #redis: RedisConnection;
  readonly #namespace: string;
  readonly #onUntaken: (count: number) => void;
  readonly #lists: ReplyLists;
  #isSharded: boolean;

  /** `onUntaken`: hears of replies that nobody took. */
  constructor(redis: RedisConnection, namespace: string, onUntaken: (count: number) => void) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#onUntaken = onUntaken;
    this.#lists = new ReplyLists(redis, onUntaken);
    this.#isSharded = redis.isCluster;
  }

  /** @throws whatever keeps the reply from being sent. */
  async send(topic: Pick<Topic, 'command' | 'session' | 'request'>, way: ReplyWay, json: string): Promise<void> {
    if (way.way === 'none') return;
    if (way.way === 'list') return this.#lists.push(replyKey(this.#namespace, topic), json);
    const heard = await this.#publish(inboxChannel(this.#namespace, way.inbox), inboxMessage(way.number, json));
    if (heard === 0) this.#onUntaken(1);
  }

  /** Stops looking after lists. */
  stop(): void {
    this.#lists.stop();
  }

  // In a Cluster our own clients listen on the shard; others may have subscribed to the channel on any node, and how
  // many did cannot be known.
  async #publish(channel: string, message: string): Promise<number> {
    if (this.#isSharded) {
      try {
        const heard = await this.#redis.command<number>('SPUBLISH', channel, message);
        if (heard > 0) return heard;
      } catch (error) {
        if (!/unknown command/i.test((error as Error).message)) throw error;
        this.#isSharded = false;
      }
    }
    const heard = await this.#redis.command<number>('PUBLISH', channel, message);
    return this.#redis.isCluster ? 1 : heard;
  }
}
